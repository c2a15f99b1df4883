"""A verdict in words: evidence with its places, the reason an officer can paste, the runner-up, the question to ask."""

from collections.abc import Iterable

from models.complaint import Complaint
from models.decision import Ask, Evidence, Option, Outcome, Reason, RunnerUp, Urgency
from models.ruleset import ReturnAdvice, RuleSet, ScopeCode

from .evidence import Hit
from .judge import OUT_REASONS, Verdict, Weighing, listed, status_of
from .text import Reading

MOST_EVIDENCE = 12
"""The most pieces of evidence that an answer carries, so that it stays under 2 KB of explanation."""
QUESTION_CATEGORY, QUESTION_SCOPE, QUESTION_PRIMARY = "category", "scope", "primary"
INSIDE = f"scope:{ScopeCode.IN}"
REASON_CODES = {reason: code for code, reason in OUT_REASONS.items()}


def evidence(
    hits: Iterable[Hit], reading: Reading, verdict: Verdict, patterns: tuple[str, ...], register: tuple[Evidence, ...] = ()
) -> tuple[Evidence, ...]:
    """The strongest hits, those that speak for the verdict first; then what the register says."""
    speaking = _speaking(verdict)
    ranked = [(hit.rule.supports not in speaking, -hit.weight, hit.start, hit.rule.id, place, hit) for place, hit in enumerate(hits)]
    ranked.sort()
    return (*[_piece(told[-1], reading, patterns) for told in ranked[: MOST_EVIDENCE - len(register)]], *register)


def _speaking(verdict: Verdict) -> set[str]:
    if verdict.outcome is Outcome.RETURN:
        code = REASON_CODES.get(verdict.reason)
        return {f"scope:{code}"} if code else set()
    return {f"category:{category.code}" for category in verdict.categories} | {INSIDE} | {f"issue:{code}" for code in verdict.issues}


def _piece(hit: Hit, reading: Reading, patterns: tuple[str, ...]) -> Evidence:
    rule, pattern, start, end, weight = hit
    field, start, end, quote = reading.place(start, end)
    return Evidence(rule.id, rule.supports, patterns[pattern], field, start, end, quote, weight, rule.clause)


def register(verdict: Verdict, complaint: Complaint, ruleset: RuleSet) -> tuple[Evidence, ...]:
    """What the register says, at the place where the complaint names the institution; each piece with the registered name as its term."""
    hit = complaint.register
    if hit is None or not hit.field or verdict.outcome is Outcome.RETURN:
        return ()
    found: list[tuple[str, str, int, str | None]] = []
    if hit.listed:
        found.append(("register.listed", INSIDE, listed(hit, ruleset), None))
    if verdict.reason is Reason.REGISTER:
        found.append(("register.licence", f"category:{verdict.primary}", 0, None))
    status = status_of(hit, ruleset)
    if status is not None and status.issue is not None:
        points = ruleset.ruleset.points[status.strength]
        found.append(("register.status" if hit.listed else "register.absent", f"issue:{status.issue}", points, status.clause))
    return tuple(
        Evidence(rule, supports, hit.name, hit.field, hit.start, hit.end, hit.quote, weight, clause)
        for rule, supports, weight, clause in found
    )


def runner_up(verdict: Verdict, weighing: Weighing, ruleset: RuleSet) -> RunnerUp | None:
    """The department that comes next by evidence, and why it is not the lead."""
    categories = ruleset.ruleset.categories
    others = [(points, code) for code, points in weighing.categories.items() if categories[code].department != verdict.lead and points > 0]
    if verdict.lead is None or not others:
        return None
    points, code = max(others, key=lambda item: (item[0], item[1]))
    lead_points = sum(points for code, points in weighing.categories.items() if categories[code].department == verdict.lead)
    department = ruleset.department(categories[code].department)
    why = f"{categories[code].name}的依据为{points}分，主办单位的依据为{lead_points}分"
    return RunnerUp(department.code, code, points, why)


def ask(verdict: Verdict, complaint: Complaint, weighing: Weighing, ruleset: RuleSet) -> Ask | None:
    """The one question whose answers would change most; None where nothing is unsure or it was asked already."""
    code = _unsure_of(verdict, weighing, ruleset)
    question = ruleset.ruleset.questions.get(code) if code else None
    if code is None or question is None or code in complaint.answers:
        return None
    head = ruleset.ruleset
    options = tuple(
        Option(answer.code, answer.text, head.categories[answer.category].department if answer.category else (answer.scope or ""))
        for answer in question.answers
        if code != QUESTION_PRIMARY or answer.category in {category.code for category in verdict.categories}
    )
    return Ask(code, question.text, options)


def _unsure_of(verdict: Verdict, weighing: Weighing, ruleset: RuleSet) -> str | None:
    if verdict.outcome is Outcome.RETURN:
        near = weighing.inside > 0 and verdict.certainty < ruleset.ruleset.thresholds.scope
        return QUESTION_SCOPE if near else None
    if verdict.outcome is Outcome.DISPATCH:
        return None
    if verdict.reason is Reason.MULTI_DEPARTMENT:
        return QUESTION_PRIMARY
    if verdict.reason is Reason.LOW_CONFIDENCE and weighing.inside - weighing.against[0] <= verdict.certainty:
        return QUESTION_SCOPE
    return QUESTION_CATEGORY if verdict.reason is not Reason.COMPREHENSIVE else None


def suggest(verdict: Verdict, ruleset: RuleSet) -> str | None:
    """The unit to suggest to the hotline with a return."""
    return _advice(verdict, ruleset).suggest if verdict.outcome is Outcome.RETURN else None


def _advice(verdict: Verdict, ruleset: RuleSet) -> ReturnAdvice:
    head, code = ruleset.ruleset, REASON_CODES.get(verdict.reason)
    return head.returns.get(code, head.no_evidence) if code else head.no_evidence


def reason(verdict: Verdict, pieces: tuple[Evidence, ...], complaint: Complaint, ruleset: RuleSet) -> str:
    """One Chinese paragraph, fit for a hand-back or a reply."""
    if verdict.outcome is Outcome.RETURN:
        return _reason_out(verdict, pieces, ruleset)
    head = ruleset.ruleset
    lead = ruleset.department(verdict.lead or head.coordinator).name
    names = "、".join(head.categories[category.code].name for category in verdict.categories)
    words = _quoted(piece for piece in pieces if piece.supports.startswith("category:"))
    sentences = [_opening(verdict, names, words, lead, complaint, ruleset)]
    sentences += _basis(verdict, ruleset)
    if verdict.assists:
        sentences.append(_helpers(verdict, ruleset))
    return "".join(sentences)


def _opening(verdict: Verdict, names: str, words: str, lead: str, complaint: Complaint, ruleset: RuleSet) -> str:
    because = f"诉求中提到{words}，" if words else ""
    match verdict.reason:
        case Reason.CLEAR:
            return f"{because}属{names}校外培训机构问题，由{lead}主办。"
        case Reason.REGISTER:
            return f"诉求未写明培训内容；名录登记{_registered(complaint)}为{_category_name(verdict, ruleset)}，由{lead}主办。"
        case Reason.NO_CATEGORY:
            return f"属校外培训机构问题，但诉求未写明培训内容，类别难以界定，提请{lead}牵头协调。"
        case Reason.MULTI_DEPARTMENT:
            return f"{because}涉及{names}，分属不同业务主管部门，由{lead}牵头协调。"
        case Reason.COMPREHENSIVE:
            return f"{because}属{names}校外培训机构问题，涉及协办单位较多，按综合性事项由{lead}牵头协调。"
        case Reason.NEEDS_IDENTIFICATION:
            return f"{because}所涉培训项目属性需鉴别，暂按{names}由{lead}牵头核定。"
        case _:
            return f"{because}倾向于{names or '类别未明'}，但依据不足以自动分派，提请{lead}研判。"


def _registered(complaint: Complaint) -> str:
    """The registered name; beside it what was said, where that is another one and only sounds or looks alike."""
    hit = complaint.register
    if hit is None:
        return ""
    return f"“{hit.name}”（诉求写作“{hit.quote}”）" if hit.how == "fuzzy" else f"“{hit.name}”"


def _category_name(verdict: Verdict, ruleset: RuleSet) -> str:
    return ruleset.ruleset.categories[verdict.primary].name if verdict.primary else "未注明类别"


def _basis(verdict: Verdict, ruleset: RuleSet) -> list[str]:
    """The clause that makes the lead the lead."""
    code = verdict.primary or (verdict.categories[0].code if verdict.categories else "")
    category = ruleset.ruleset.categories.get(code)
    clear = verdict.outcome is Outcome.DISPATCH
    clause = ruleset.clauses.get((category.clause if category and clear else ruleset.ruleset.escalation_clause) or "")
    if clause is None:
        return []
    return [f"依据《{ruleset.documents[clause.document].title}》{clause.article}：“{clause.quote}”。"]


def _helpers(verdict: Verdict, ruleset: RuleSet) -> str:
    parts = [f"{ruleset.department(assist.department).name}（{ruleset.issues[assist.issue].name}）" for assist in verdict.assists]
    return "协办：" + "、".join(parts) + "。"


def _reason_out(verdict: Verdict, pieces: tuple[Evidence, ...], ruleset: RuleSet) -> str:
    advice = _advice(verdict, ruleset)
    told = verdict.reason is not Reason.NO_EVIDENCE
    words = _quoted(piece for piece in pieces if piece.supports.startswith("scope:") and piece.supports != INSIDE) if told else ""
    because = f"诉求中提到{words}，" if words else ""
    to = f"建议转{advice.suggest}办理。" if advice.suggest else ""
    return f"{because}{advice.reason}退回热线。{to}"


def _quoted(pieces: Iterable[Evidence]) -> str:
    """The words met, the strongest first, none that stands inside another: at most four."""
    words = list(dict.fromkeys(piece.quote for piece in pieces))
    whole = [word for word in words if not any(word in other and word != other for other in words)]
    return "、".join(f"“{word}”" for word in whole[:4])


UNCERTIFIED = "本规则集没有经标注数据证明可以自动分派，去向仅供建议，请人工确认。"


def notices(verdict: Verdict, complaint: Complaint, ruleset: RuleSet) -> tuple[str, ...]:
    """What the call taker must do at once, what the register says that an officer must know, whether the dispatch is only a suggestion."""
    calibration = ruleset.ruleset.calibration
    urgent = ruleset.ruleset.emergency_notices if verdict.urgency is Urgency.EMERGENCY else ()
    unproven = verdict.outcome is Outcome.DISPATCH and not (calibration is not None and calibration.certified)
    return (*urgent, *_told_by_register(verdict, complaint, ruleset), *((UNCERTIFIED,) if unproven else ()))


def _told_by_register(verdict: Verdict, complaint: Complaint, ruleset: RuleSet) -> tuple[str, ...]:
    hit = complaint.register
    status = status_of(hit, ruleset) if hit is not None and verdict.outcome is not Outcome.RETURN else None
    if hit is None or status is None or status.notice is None:
        return ()
    return (status.notice.replace("{name}", hit.name).replace("{status}", hit.status),)
