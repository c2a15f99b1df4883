"""What the parts of a pack are called by those who write them: for telling what changed."""

from collections.abc import Mapping

from models.ruleset import Status, Strength

SECTIONS: Mapping[str, str] = {
    "rules": "规则",
    "lists": "词表",
    "issues": "问题类型",
    "categories": "机构类别",
    "departments": "单位",
    "clauses": "条款",
    "documents": "文件",
    "questions": "追问",
    "returns": "退回说明",
    "aliases": "写法",
    "words": "词典",
    "cases": "用例",
    "ruleset": "设置",
    "clocks": "期限",
    "calendar": "日历",
    "incidents": "群体事件与重复",
}
"""The parts of a rule set, in the order in which changes are told."""

FIELDS: Mapping[str, str] = {
    "terms": "词",
    "unless": "排除词",
    "near": "语境",
    "near.words": "语境词",
    "near.within": "语境距离",
    "in": "位置",
    "needs": "须同时命中",
    "blocked_by": "遇到即不算",
    "strength": "强度",
    "status": "状态",
    "category": "机构类别",
    "scope": "范围",
    "issue": "问题类型",
    "signal": "信号",
    "clause": "条款",
    "name": "名称",
    "why": "说明",
    "program": "项目名称",
    "loose": "词内匹配",
    "aliases": "别名",
    "duty": "职责",
    "external": "外部单位",
    "rank": "次序",
    "assists": "协办",
    "department": "主管单位",
    "document": "文件",
    "article": "条目",
    "quote": "原文",
    "reason": "理由",
    "suggest": "建议",
    "text": "文字",
    "answers": "答案",
    "thresholds.dispatch": "自动分派门槛",
    "thresholds.scope": "范围门槛",
    "thresholds.category": "类别门槛",
    "thresholds.issue": "问题门槛",
    "calibration": "校准",
    "second_person": "双人审批",
    "": "",
}
"""Fields that officials know by another name than their key; the others are told by their key."""

CASES: Mapping[str, str] = {
    "title": "标题",
    "institution": "机构",
    "decision": "研判",
    "reason_code": "理由代码",
    "lead": "主办",
    "category": "类别",
    "categories": "类别",
    "issues": "问题",
    "assists": "协办",
    "urgency": "紧急程度",
    "each": "逐词",
    "hits": "应命中",
    "not": "不应命中",
}
"""What a case beside the rules says, by its key."""

VALUES: Mapping[str, str] = {
    Strength.STRONG: "强",
    Strength.MEDIUM: "中",
    Strength.WEAK: "弱",
    Status.TRIAL: "试用",
    Status.ACTIVE: "启用",
    Status.QUARANTINED: "停用待查",
    Status.RETIRED: "退役",
    "True": "是",
    "False": "否",
    "None": "无",
}
