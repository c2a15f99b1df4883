"""The ledger: what people confirm about cases becomes an account of each rule and term.

`verdict.py` says what is confirmed, `judge.py` what that says of a rule; `book.py` posts it in the transaction of the move;
`accounts.py` makes precision, intervals and trends of it, `output.py` words.
"""

from service.ledger.accounts import Account, Ledger, RuleAccount, ledger_of, overview
from service.ledger.book import happened, month_of, post
from service.ledger.errors import RuleUnknown
from service.ledger.judge import birth_of, issues_of, judge
from service.ledger.recount import Recount, recount
from service.ledger.verdict import Verdict, of_events

__all__ = [
    "Account",
    "Ledger",
    "Recount",
    "RuleAccount",
    "RuleUnknown",
    "Verdict",
    "birth_of",
    "happened",
    "issues_of",
    "judge",
    "ledger_of",
    "month_of",
    "of_events",
    "overview",
    "post",
    "recount",
]
