"""What the ledger refuses.

NotFound
└── RuleUnknown    404: neither the rule set in force nor the ledger knows this rule
"""

from service.errors import NotFound


class RuleUnknown(NotFound):
    """在用的规则集和台账里都没有这条规则。"""

    code = "rule_unknown"
    title = "没有这条规则"
