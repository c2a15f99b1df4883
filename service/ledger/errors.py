"""What the ledger refuses.

NotFound
└── RuleUnknown       404: neither the rule set in force nor the ledger knows this rule
Conflict 409
├── NotQuarantined    the rule is not in quarantine
└── CannotRelease     the rule's file is written so that it cannot be edited safely
"""

from service.errors import Conflict, NotFound


class RuleUnknown(NotFound):
    """在用的规则集和台账里都没有这条规则。"""

    code = "rule_unknown"
    title = "没有这条规则"


class NotQuarantined(Conflict):
    """这条规则没有停用待查。"""

    code = "not_quarantined"
    title = "没有停用待查"


class CannotRelease(Conflict):
    """规则文件的写法特殊，没有把握改得对，请手改后发布。"""

    code = "cannot_release"
    title = "改不了规则文件"
