"""GET /v1/vocabulary: what every code is called in Chinese, so that whoever shows codes to people need not keep a list of their own."""

from pydantic import BaseModel, Field
from starlette.responses import Response

from models.access import SCOPE_NAMES
from models.clocks import ClockKind
from models.complaint import DemandType
from models.moves import MOVES, STATUS_NAMES
from models.register import RULE_NAMES
from models.requests import HandBackReason, ReturnReason
from models.ruleset import RuleSet
from service import show
from service.api import etag
from service.api.deps import Rules
from service.api.digested import RESPONSES, by_digest
from service.api.plain import door

router = door("/v1/vocabulary", "规则")

CLOCKS = {
    ClockKind.RECEIPT: "签收",
    ClockKind.HAND_BACK: "退单",
    ClockKind.HANDLING: "办理",
    ClockKind.FOLLOW_UP: "回访",
}
HAND_BACKS = {
    HandBackReason.NOT_OURS: "非本单位职责",
    HandBackReason.INCOMPLETE: "要素不全",
    HandBackReason.DUPLICATE: "重复工单",
    HandBackReason.UNCLEAR: "诉求不清",
    HandBackReason.OUT_OF_SCOPE: "不属于校外培训",
    HandBackReason.OTHER_DISTRICT: "其他区",
}
RETURNS = {
    ReturnReason.IN_LITIGATION: "已进入诉讼、仲裁等程序",
    ReturnReason.DUPLICATE: "重复工单",
    ReturnReason.NO_FACTS: "没有具体事实",
    ReturnReason.EMERGENCY: "紧急事项，转 110、119、120",
}
"""Beside those that are reasons of a decision too."""
EVENTS = {
    "case.received": "受理",
    "case.struck": "按期清除",
    "case.unmasked": "查看诉求人",
    "case.clock_alarm": "期限提醒",
    "case.duplicate_suspected": "疑似重复",
    "case.duplicate_dismissed": "不是重复",
    "incident.opened": "群体事件立案",
    "incident.joined": "并入群体事件",
    "channel.set": "设置通道",
    "channel.removed": "删除通道",
    "channel.rested": "通道暂停",
    "delivery.dead": "送达失败",
    "delivery.replayed": "重发",
    "register.changed": "名录更新",
    "rules.draft_opened": "开草稿",
    "rules.draft_discarded": "丢弃草稿",
    "rules.approval_asked": "请求审批",
    "rules.approved": "批准",
    "rules.refused": "不批准",
    "rules.withdrawn": "撤回审批请求",
    "rules.published": "规则发布",
    "rules.activated": "规则启用",
    "rules.quarantined": "规则停用待查",
    "rules.released": "规则恢复",
    "rules.shadow_started": "影子运行开始",
    "rules.shadow_stopped": "影子运行停止",
    "key.created": "发钥匙",
    "key.rotated": "换钥匙",
    "key.revoked": "吊销钥匙",
    "audit.exported": "导出审计",
    "audit.unmasked": "查看诉求人",
    "audit.rekeyed": "更换数据密钥",
}
"""Beside the events of the moves, which are called as the moves are."""


class Vocabulary(BaseModel):
    """各种代码的中文名称. Each is code -> name, in the order in which people list them."""

    district: str = Field(description="规则包的名称")
    department: dict[str, str] = Field(description="单位")
    category: dict[str, str] = Field(description="机构类别")
    issue: dict[str, str] = Field(description="问题类型")
    street: list[str] = Field(description="本区的镇街和其他写法，见规则包的 district")
    status: dict[str, str] = Field(description="案件状态")
    outcome: dict[str, str] = Field(description="研判结果")
    reason: dict[str, str] = Field(description="研判的理由代码")
    urgency: dict[str, str] = Field(description="紧急程度")
    demand: dict[str, str] = Field(description="诉求类型")
    move: dict[str, str] = Field(description="办理动作")
    event: dict[str, str] = Field(description="变更流中的种类")
    clock: dict[str, str] = Field(description="期限的种类")
    hand_back: dict[str, str] = Field(description="退单理由")
    return_reason: dict[str, str] = Field(description="退回热线的理由")
    scope: dict[str, str] = Field(description="钥匙的权限")
    evidence: dict[str, str] = Field(description="依据支持什么：冒号之前的部分，以及 scope: 之后的代码")
    rule: dict[str, str] = Field(description="在用规则集的规则，以及名录提供的依据")
    clause: dict[str, str] = Field(description="条款：文件、条目和原文")


@router.get(
    "",
    summary="查询代码的名称",
    response_model=Vocabulary,
    response_description="各种代码的中文名称",
    responses=RESPONSES,
)
async def vocabulary(rules: Rules, condition: etag.Condition = None) -> Response:
    """单位、类别、问题类型、状态、动作、理由等各种代码的中文名称；单位、类别和问题类型来自在用的规则集。"""
    return by_digest(rules.engine.ruleset, condition, lambda ruleset: _told(ruleset).model_dump())


def _told(ruleset: RuleSet) -> Vocabulary:
    reasons = {str(code): text for code, text in show.REASONS.items()}
    return Vocabulary(
        district=ruleset.ruleset.name,
        department={department.code: department.name for department in ruleset.departments},
        category={code: category.name for code, category in ruleset.ruleset.categories.items()},
        issue={code: issue.name for code, issue in ruleset.issues.items()},
        street=list(ruleset.ruleset.district),
        status={str(code): text for code, text in STATUS_NAMES.items()},
        outcome={str(code): text for code, text in show.OUTCOMES.items()},
        reason=reasons,
        urgency={str(code): text for code, text in show.URGENCIES.items()},
        demand={str(kind): str(kind) for kind in DemandType},
        move={str(row.move): row.name for row in MOVES.values()},
        event=EVENTS | {row.event: row.name for row in MOVES.values()},
        clock={str(code): text for code, text in CLOCKS.items()},
        hand_back={str(code): text for code, text in HAND_BACKS.items()},
        return_reason={str(code): RETURNS.get(code) or reasons[str(code)] for code in ReturnReason},
        scope=dict(SCOPE_NAMES),
        evidence={"category": "机构类别", "scope": "范围", "issue": "问题类型", "signal": "信号"}
        | {f"scope:{code}": text for code, text in show.SCOPES.items()},
        rule={rule.id: rule.name for rule in ruleset.rules} | RULE_NAMES,
        clause={code: f"{show.clause(code, ruleset)}：“{clause.quote}”" for code, clause in ruleset.clauses.items()},
    )
