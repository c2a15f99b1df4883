"""An invented district on one page, so that a test can be read without looking elsewhere: its rules, and ways to change them.

Every place in a text counts alike (100 %), so a strong hit is 12 points, a medium one 6, a weak one 3.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from models.complaint import Complaint
from models.decision import Decision
from models.ruleset import RuleSet
from service.engine import Engine

DEPARTMENTS = {
    "school_office": "云溪区学校办",
    "ball_office": "云溪区球场办",
    "stage_office": "云溪区舞台办",
    "money_office": "云溪区账目办",
    "fire_office": "云溪区消防办",
    "wage_office": "云溪区用工办",
    "quiet_office": "云溪区环境办",
    "town": "云溪镇",
}

ISSUES = {
    "fire": {"name": "消防", "rank": 10, "assists": [{"department": "fire_office", "clause": "order-4"}]},
    "refund": {"name": "退费", "rank": 20, "assists": [{"department": "money_office"}]},
    "wages": {"name": "欠薪", "rank": 30, "assists": [{"department": "wage_office"}]},
    "noise": {"name": "噪音", "rank": 40, "assists": [{"department": "quiet_office"}]},
    "stage_safety": {
        "name": "舞台安全",
        "rank": 50,
        "assists": [{"department": "town", "only": ["stage"]}, {"department": "stage_office"}],
    },
}

CLAUSES = {
    "order-1": {"document": "order", "article": "第一条", "quote": "文化课培训由学校办主管。"},
    "order-2": {"document": "order", "article": "第二条", "quote": "球类培训由球场办主管。"},
    "order-3": {"document": "order", "article": "第三条", "quote": "舞台类培训由舞台办主管。"},
    "order-4": {"document": "order", "article": "第四条", "quote": "消防安全由消防办协助。"},
    "order-9": {"document": "order", "article": "第九条", "quote": "难以界定的由学校办牵头。"},
}

HEAD: dict[str, Any] = {
    "pack": "yunxi",
    "name": "云溪区培训诉求分派规则",
    "coordinator": "school_office",
    "escalation_clause": "order-9",
    "max_assists": 2,
    "comprehensive_over": 3,
    "emergency_notices": ["请立即告知来电人拨打119。"],
    "quoted": ["最近派发", "关联工单", "退回重办"],
    "categories": {
        "letters": {"name": "文化课", "department": "school_office", "clause": "order-1"},
        "ball": {"name": "球类", "department": "ball_office", "clause": "order-2"},
        "stage": {"name": "舞台类", "department": "stage_office", "clause": "order-3"},
    },
    "points": {"strong": 12, "medium": 6, "weak": 3},
    "zones": {"institution": 100, "title": 100, "head": 100, "body": 100, "head_length": 10},
    "thresholds": {"scope": 6, "margin": 1, "out": 6, "category": 6, "issue": 6, "share": 40, "dispatch": 0},
    "negations": [
        {"words": ["不是", "没教"], "within": 3},
        {"words": ["希望开设"], "within": 6},
        {"words": ["没意见"], "within": 8, "side": "before"},
    ],
    "identification": ["stage.disputed"],
    "returns": {
        "school": {"reason": "属学校自身事务，", "suggest": "学校办", "clause": "order-1"},
        "kindergarten": {"reason": "属幼儿园自身事务，", "suggest": "学校办"},
        "adult": {"reason": "学的是成年人，", "suggest": "工会"},
        "childcare": {"reason": "属婴幼儿照护，", "suggest": "托育办"},
        "care_only": {"reason": "只看护不施教，", "suggest": "云溪镇"},
        "other_matter": {"reason": "不是培训的事，"},
        "other_district": {"reason": "机构不在本区，"},
    },
    "no_evidence": {"reason": "没有说到儿童培训，", "suggest": "按内容另派"},
    "questions": {
        "category": {
            "text": "请问孩子学的是什么？",
            "answers": [{"code": "letters", "text": "文化课", "category": "letters"}, {"code": "ball", "text": "球", "category": "ball"}],
        },
        "primary": {
            "text": "请问主要反映哪一门课？",
            "answers": [{"code": code, "text": code, "category": code} for code in ("letters", "ball", "stage")],
        },
        "scope": {
            "text": "请问是校外机构还是学校办的？",
            "answers": [{"code": "outside", "text": "校外机构", "scope": "in"}, {"code": "school", "text": "学校", "scope": "school"}],
        },
    },
}

RULES: tuple[dict[str, Any], ...] = (
    {"id": "scope.class", "scope": "in", "terms": ["培训班", "校外机构"], "strength": "strong"},
    {"id": "scope.hint", "scope": "in", "terms": ["老师"], "strength": "weak"},
    {"id": "scope.school", "scope": "school", "terms": ["学校食堂"], "strength": "strong"},
    {"id": "scope.kindergarten", "scope": "kindergarten", "terms": ["幼儿园伙食"], "strength": "strong"},
    {"id": "scope.adult", "scope": "adult", "terms": ["退休职工"], "strength": "strong"},
    {"id": "scope.childcare", "scope": "childcare", "terms": ["托育"], "strength": "strong"},
    {"id": "scope.care", "scope": "care_only", "terms": ["托管"], "strength": "strong"},
    {"id": "scope.matter", "scope": "other_matter", "terms": ["停水"], "strength": "strong"},
    {"id": "scope.district", "scope": "other_district", "terms": ["外区"], "strength": "strong"},
    {"id": "letters.programs", "category": "letters", "terms": ["算术", "作文"], "clause": "order-1"},
    {"id": "ball.programs", "category": "ball", "terms": ["篮球", "足球", "网球"], "unless": ["篮球状"], "clause": "order-2"},
    {"id": "stage.programs", "category": "stage", "terms": ["舞蹈", "戏剧"], "clause": "order-3"},
    {"id": "stage.disputed", "category": "stage", "terms": ["演讲"], "clause": "order-3"},
    {"id": "issue.fire", "issue": "fire", "terms": ["消防"], "loose": True, "clause": "order-4"},
    {"id": "issue.refund", "issue": "refund", "terms": ["退费"], "loose": True},
    {"id": "issue.wages", "issue": "wages", "terms": ["欠薪"], "loose": True},
    {"id": "issue.noise", "issue": "noise", "terms": ["噪音"], "loose": True},
    {"id": "issue.stage", "issue": "stage_safety", "terms": ["舞台塌"], "loose": True},
    {"id": "signal.child", "signal": "child", "terms": ["孩子"]},
    {"id": "signal.emergency", "signal": "emergency", "terms": ["着火"]},
    {"id": "signal.urgent", "signal": "urgent", "terms": ["打人"]},
)


def rules(*more: Mapping[str, Any], **head: Any) -> RuleSet:
    """The rule set of the district; `more` rules are added or take the place of those with their id, `head` changes settings."""
    by_id = {rule["id"]: {"name": rule["id"], **rule} for rule in (*RULES, *more)}
    settings = {**HEAD, **head}
    return RuleSet.model_validate(
        {
            "pack": "yunxi",
            "version": 0,
            "digest": "0",
            "ruleset": settings,
            "departments": [{"code": code, "name": name, "duty": "某事"} for code, name in DEPARTMENTS.items()],
            "documents": {"order": {"title": "云溪区培训管理办法", "issuer": "云溪区"}},
            "clauses": CLAUSES,
            "issues": ISSUES,
            "lists": {},
            "rules": list(by_id.values()),
            "aliases": {"兰球": "篮球", "bu习班": "培训班"},
            "words": [],
            "cases": {},
        }
    )


def triage(ruleset: RuleSet, content: str, **complaint: Any) -> Decision:
    return _engine(ruleset.model_dump_json(by_alias=True)).triage(Complaint(content, **complaint))


@cache
def _engine(ruleset: str) -> Engine:
    """Made once for all tests that ask for the same rules: its dictionary takes a tenth of a second."""
    return Engine(RuleSet.model_validate_json(ruleset))


def fired(decision: Decision) -> set[str]:
    """The rules among the evidence."""
    return {piece.rule for piece in decision.evidence}


def scores(decision: Decision) -> dict[str, int]:
    return {category.code: category.score for category in decision.categories}


def together(words: Iterable[str]) -> str:
    """A text in which each word stands in a sentence of its own."""
    return "。".join(words) + "。"
