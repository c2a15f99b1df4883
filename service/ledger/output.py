"""The ledger as JSON for programs and as text for a terminal."""

from datetime import datetime
from typing import Any

import orjson

from models.decision import Reason
from models.ruleset import RuleSet
from service.ledger.accounts import Account, Ledger, RuleAccount
from service.ledger.book import CHINA
from service.ledger.judge import COUNTS
from service.ledger.verdict import Verdict
from service.log import masked
from service.store import Quarantine, WrongCase

TEXT = 200
STATUS = {"active": "在用", "trial": "试用", "quarantined": "停用待查", "retired": "已退役"}
BY = {
    "case.hand_back_upheld": "同意退单",
    "case.hand_back_rejected": "驳回退单",
    "case.re_dispatched": "改派",
    "case.designated": "指定承办",
    "case.reclassified": "更正",
    "case.returned": "退回热线",
    "case.completed": "办结",
    "case.archived": "归档",
}


def account_json(account: Account) -> dict[str, Any]:
    low, high = account.interval or (None, None)
    counts = {name: getattr(account, name) for name in COUNTS}
    return counts | {"n": account.n, "precision": account.precision, "low": low, "high": high}


def head_json(head: RuleAccount) -> dict[str, Any]:
    return {"rule": head.rule, "name": head.name, "supports": head.supports, "status": head.status, **account_json(head.account)}


def ledger_json(ledger: Ledger) -> dict[str, Any]:
    """One rule's ledger."""
    return {
        **head_json(ledger.head),
        "terms": [{"term": each.term, **account_json(each.account)} for each in ledger.terms],
        "months": [{"month": each.month, **account_json(each.account)} for each in ledger.months],
        "wrong": [wrong_json(case) for case in ledger.wrongs],
    }


def wrong_json(case: WrongCase) -> dict[str, Any]:
    """A case in which a rule was wrong: what it said, what is right, who said so and when."""
    verdict, triage = Verdict.from_text(case.verdict), orjson.loads(case.triage or "{}")
    word = verdict.word
    return {
        "case_id": case.case_id,
        "text": masked("。".join(filter(None, (case.title, case.content)))[:TEXT]),
        "terms": orjson.loads(case.terms),
        "said": case.supports,
        "decision": triage.get("decision"),
        "lead": triage.get("lead"),
        "ruleset_version": case.ruleset_version,
        "right": {
            "lead": verdict.lead,
            "category": verdict.category,
            "issues": verdict.issues,
            "outside": verdict.outside,
            "not_leads": verdict.refuted,
        },
        "by": word.by.removeprefix("case.") if word else None,
        "actor": word.actor if word else None,
        "department": word.department if word else None,
        "at": datetime.fromisoformat(word.at) if word else None,
    }


def quarantine_json(each: Quarantine) -> dict[str, Any]:
    names = ("rule", "version", "at", "why", "released_at", "released_by", "released_version", "reason")
    return {name: getattr(each, name) for name in names}


# For a terminal -----------------------------------------------------------------------------------------------------------------


def share(account: Account) -> str:
    """Precision with its interval, as people read it."""
    if account.precision is None or account.interval is None:
        return "还没有确认的案件"
    low, high = account.interval
    return f"{account.precision:.1%}（{account.rights}/{account.n}，95% 区间 {low:.1%} 至 {high:.1%}）"


def overview_text(found: list[RuleAccount], quarantines: list[Quarantine], most: int) -> str:
    known = [head for head in found if head.account.n]
    lines = [
        f"{head.rule}（{head.name or '在用规则集里没有'}）{_status(head)}：{share(head.account)}{_returns(head.account)}" for head in known
    ]
    more = [f"……另有 {len(known) - most} 条"] if len(known) > most else []
    lasting = [f"停用待查：{each.why}（第 {each.version} 版）" for each in quarantines if each.released_at is None]
    return "\n".join([*lines[:most], *more, *lasting, f"{len(found)} 条规则，{len(known)} 条有经人确认的结果；区间上限最低的在前。"])


def ledger_text(ledger: Ledger, ruleset: RuleSet) -> str:
    """One rule's ledger, paragraph by paragraph."""
    head = ledger.head
    lines = [f"{head.rule}（{head.name or '在用规则集里没有'}）{_status(head)}：{share(head.account)}{_returns(head.account)}"]
    lines += [f"    另有 {head.account.beside} 件命中而没有起决定作用"] if head.account.beside else []
    if ledger.terms:
        lines += ["逐词：", *(f"    {each.term}  {share(each.account)}" for each in ledger.terms)]
    if ledger.months:
        lines += ["逐月（按受理时间）：", *(f"    {each.month}  {share(each.account)}" for each in ledger.months)]
    if ledger.wrongs:
        lines += ["判错的：", *(line for case in ledger.wrongs for line in _wrong(case, ruleset))]
    return "\n".join(lines)


def _wrong(case: WrongCase, ruleset: RuleSet) -> list[str]:
    told = wrong_json(case)
    when = told["at"].astimezone(CHINA).strftime("%Y-%m-%d %H:%M") if told["at"] else ""
    terms = "、".join(f"「{term}」" for term in told["terms"])
    who = f"{BY.get('case.' + str(told['by']), '')}（{told['actor']}，{when}）"
    return [
        f"  {told['case_id']}  {terms} 说是 {told['said']}，应为{_right(told['right'], ruleset)}；{who}",
        f"    {told['text']}",
    ]


def _right(right: dict[str, Any], ruleset: RuleSet) -> str:
    names = {department.code: department.name for department in ruleset.departments}
    if right["outside"] is not None:
        reasons = {reason.value for reason in Reason}
        return "退回热线" + (f"（{right['outside']}）" if right["outside"] in reasons else "")
    if right["lead"]:
        parts = [names.get(right["lead"], right["lead"]), *([right["category"]] if right["category"] else [])]
        return " ".join([*parts, *([f"问题 {'、'.join(right['issues'])}"] if right["issues"] is not None else [])])
    return "不归" + "、".join(names.get(code, code) for code in right["not_leads"])


def _status(head: RuleAccount) -> str:
    return "" if head.status in {None, "active"} else f"【{STATUS.get(str(head.status), head.status)}】"


def _returns(account: Account) -> str:
    return f"；被退单 {account.handed_back} 件，成立 {account.upheld} 件，驳回 {account.rejected} 件" if account.handed_back else ""
