"""From evidence to a verdict: in scope or not, which categories, which department, sure enough or not."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from models.complaint import Complaint, RegisterHit
from models.decision import Assist, CategoryScore, Outcome, Reason, Urgency
from models.ruleset import RegisterStatus, RuleSet, ScopeCode

from .evidence import Hit
from .plan import PlannedRule

BY_ID = attrgetter("id")
SETTLED = 1000
"""Points of what the caller answered: more than any words weigh."""

OUT_REASONS = {
    ScopeCode.SCHOOL: Reason.OUT_SCHOOL,
    ScopeCode.KINDERGARTEN: Reason.OUT_KINDERGARTEN,
    ScopeCode.ADULT: Reason.OUT_ADULT,
    ScopeCode.CHILDCARE: Reason.OUT_CHILDCARE,
    ScopeCode.CARE_ONLY: Reason.OUT_CARE_ONLY,
    ScopeCode.OTHER_MATTER: Reason.OUT_OTHER_MATTER,
    ScopeCode.OTHER_DISTRICT: Reason.OUT_OTHER_DISTRICT,
}


@dataclass(frozen=True, slots=True)
class Weighing:
    """The points of a text, summed by what they support; and the rules that it met, by id."""

    scope: dict[str, int]
    categories: dict[str, int]
    issues: dict[str, int]
    signals: frozenset[str]
    met: tuple[PlannedRule, ...]

    @property
    def inside(self) -> int:
        """Points for training outside school."""
        return self.scope.get(ScopeCode.IN, 0)

    @property
    def against(self) -> tuple[int, str | None]:
        """The points of the best reason against, and that reason; the code breaks ties. Where it happened is no rival to what it is."""
        rivals = [item for item in self.scope.items() if item[0] not in (ScopeCode.IN, ScopeCode.OTHER_DISTRICT)]
        out = [(points, code) for code, points in rivals if points > 0]
        return max(out, key=lambda item: (item[0], item[1]), default=(0, None))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided, before it is put into words. `certainty` is in points: how far the evidence is from saying otherwise."""

    outcome: Outcome
    reason: Reason
    lead: str | None
    primary: str | None
    categories: tuple[CategoryScore, ...]
    issues: tuple[str, ...]
    assists: tuple[Assist, ...]
    urgency: Urgency
    certainty: int


def weigh(hits: Iterable[Hit], complaint: Complaint, ruleset: RuleSet) -> Weighing:
    """Sum the points of all hits, of the register and of the caller's answers."""
    by_rule: dict[PlannedRule, int] = {}
    for hit in hits:
        rule = hit.rule
        if not rule.trial:
            by_rule[rule] = by_rule.get(rule, 0) + hit.weight
    sums = _sums(by_rule, ruleset.ruleset.repeat)
    scope, categories = sums["scope"], sums["category"]
    if complaint.register is not None:
        _add_register(complaint.register, ruleset, scope, sums["issue"])
    for question, answer in complaint.answers.items():
        _settle(question, answer, ruleset, scope, categories)
    return Weighing(scope, categories, sums["issue"], frozenset(sums["signal"]), tuple(sorted(by_rule, key=BY_ID)))


def _sums(by_rule: dict[PlannedRule, int], repeat: tuple[int, ...]) -> dict[str, dict[str, int]]:
    """The points for each thing supported: the best rule whole, each further one less, since rules often see the same words."""
    ranked: dict[tuple[str, str], list[int]] = {}
    for rule, points in by_rule.items():
        ranked.setdefault((rule.kind, rule.code), []).append(points)
    sums: dict[str, dict[str, int]] = {"scope": {}, "category": {}, "issue": {}, "signal": {}}
    first = repeat[0] if repeat else 0
    for (kind, code), totals in ranked.items():
        if len(totals) == 1:
            sums[kind][code] = totals[0] * first // 100
            continue
        totals.sort(reverse=True)
        sums[kind][code] = sum([each * share // 100 for each, share in zip(totals, repeat, strict=False)])
    return sums


def _add_register(hit: RegisterHit, ruleset: RuleSet, scope: dict[str, int], issues: dict[str, int]) -> None:
    """Add what it tells that the register holds the institution, and in which status, or does not hold it."""
    if hit.listed:
        scope[ScopeCode.IN] = scope.get(ScopeCode.IN, 0) + listed(hit, ruleset)
    status = status_of(hit, ruleset)
    if status is not None and status.issue is not None:
        issues[status.issue] = issues.get(status.issue, 0) + ruleset.ruleset.points[status.strength]


def listed(hit: RegisterHit, ruleset: RuleSet) -> int:
    """The points for a listed institution: more where the hotline has filled it in, less where the text only mentions it."""
    numbers = ruleset.ruleset.register_points
    return numbers.mention if hit.mentioned else numbers.scope


def status_of(hit: RegisterHit, ruleset: RuleSet) -> RegisterStatus | None:
    """What the rule set says about the status in which the register holds the institution."""
    numbers = ruleset.ruleset.register_points
    return numbers.statuses.get(hit.status) if hit.listed else numbers.absent


def _settle(question: str, answer: str, ruleset: RuleSet, scope: dict[str, int], categories: dict[str, int]) -> None:
    """Add what an answer settles. An unknown question or answer settles nothing: it may belong to an older rule set."""
    known = ruleset.ruleset.questions.get(question)
    for option in known.answers if known else ():
        if option.code == answer:
            if option.category:
                categories[option.category] = categories.get(option.category, 0) + SETTLED
                scope[ScopeCode.IN] = scope.get(ScopeCode.IN, 0) + SETTLED
            if option.scope:
                scope[option.scope] = scope.get(option.scope, 0) + SETTLED


def judge(weighing: Weighing, complaint: Complaint, ruleset: RuleSet) -> Verdict:
    """The verdict on a text: the scope gate first, then the category, then the department."""
    against, _ = weighing.against
    numbers = ruleset.ruleset.thresholds
    urgency = _urgency(weighing)
    inside = weighing.inside
    if weighing.scope.get(ScopeCode.OTHER_DISTRICT, 0) >= numbers.out:
        return Verdict(Outcome.RETURN, Reason.OUT_OTHER_DISTRICT, None, None, (), (), (), urgency, inside)
    unproven = inside < numbers.scope or inside - against < numbers.margin
    if unproven and not (complaint.asserted_scope and against < numbers.scope):
        return _out(weighing, ruleset, urgency)
    return _inside(weighing, complaint, ruleset, urgency)


def _out(weighing: Weighing, ruleset: RuleSet, urgency: Urgency) -> Verdict:
    against, code = weighing.against
    reason = OUT_REASONS[ScopeCode(code)] if code is not None and against >= ruleset.ruleset.thresholds.out else Reason.NO_EVIDENCE
    return Verdict(Outcome.RETURN, reason, None, None, (), (), (), urgency, max(against - weighing.inside, 0))


def _inside(weighing: Weighing, complaint: Complaint, ruleset: RuleSet, urgency: Urgency) -> Verdict:
    categories = given(weighing, ruleset)
    departments = list(dict.fromkeys(ruleset.ruleset.categories[category.code].department for category in categories))
    issues = _issues(weighing, ruleset)
    outcome, reason, lead, primary = _lead(categories, departments, weighing, complaint, ruleset)
    if not categories and primary is not None:
        categories = (CategoryScore(primary, 0),)  # the register's word: the text has not a point for it
    helpers = _assists(issues, lead, primary, weighing, ruleset)
    if outcome is Outcome.DISPATCH and len({assist.department for assist in helpers}) > ruleset.ruleset.comprehensive_over:
        outcome, reason = Outcome.ESCALATE, Reason.COMPREHENSIVE
    certainty = _certainty(weighing, ruleset)
    if outcome is Outcome.DISPATCH and certainty < ruleset.ruleset.thresholds.dispatch and reason is not Reason.REGISTER:
        outcome, reason = Outcome.ESCALATE, Reason.LOW_CONFIDENCE
    return Verdict(outcome, reason, lead, primary, categories, issues, helpers[: ruleset.ruleset.max_assists], urgency, certainty)


def given(weighing: Weighing, ruleset: RuleSet) -> tuple[CategoryScore, ...]:
    """The categories that the institution teaches, as far as the text says, best first."""
    numbers = ruleset.ruleset.thresholds
    best = max(weighing.categories.values(), default=0)
    order = list(ruleset.ruleset.categories)
    found = [
        CategoryScore(code, points)
        for code, points in weighing.categories.items()
        if points >= numbers.category and points * 100 >= numbers.share * best
    ]
    return tuple(sorted(found, key=lambda category: (-category.score, order.index(category.code))))


def _lead(
    categories: tuple[CategoryScore, ...], departments: list[str], weighing: Weighing, complaint: Complaint, ruleset: RuleSet
) -> tuple[Outcome, Reason, str, str | None]:
    """Outcome, reason, lead and primary category."""
    head = ruleset.ruleset
    licensed = complaint.register.category if complaint.register and complaint.register.category in head.categories else None
    if not categories:
        if licensed is not None:
            return Outcome.DISPATCH, Reason.REGISTER, head.categories[licensed].department, licensed
        return Outcome.ESCALATE, Reason.NO_CATEGORY, head.coordinator, None
    filled_in = complaint.register is not None and not complaint.register.mentioned
    primary = _primary(categories, licensed if filled_in else None, ruleset)
    lead = head.categories[primary].department if primary else departments[0] if len(departments) == 1 else head.coordinator
    if len(departments) > 1:
        return Outcome.ESCALATE, Reason.MULTI_DEPARTMENT, lead, primary
    if any(rule.id in head.identification for rule in weighing.met) and not _plain(weighing, head.identification, categories[0]):
        return Outcome.ESCALATE, Reason.NEEDS_IDENTIFICATION, lead, primary
    return Outcome.DISPATCH, Reason.CLEAR, lead, primary


def _primary(categories: tuple[CategoryScore, ...], licensed: str | None, ruleset: RuleSet) -> str | None:
    """The main category: the dominant one where well attested, else that of most evidence, else the licensed one; None where even."""
    head = ruleset.ruleset
    if any(category.code == head.dominant and category.score * 100 >= head.dominant_share * categories[0].score for category in categories):
        return head.dominant
    best = [category.code for category in categories if category.score == categories[0].score]
    if len(best) == 1:
        return best[0]
    return licensed if licensed in best else None


def _plain(weighing: Weighing, disputed: tuple[str, ...], category: CategoryScore) -> bool:
    """Whether the caller, or some rule that is not disputed, speaks for the category, too."""
    return category.score >= SETTLED or any(
        rule.kind == "category" and rule.code == category.code and rule.id not in disputed for rule in weighing.met
    )


def _issues(weighing: Weighing, ruleset: RuleSet) -> tuple[str, ...]:
    """The issues of a text, by rank."""
    found = [code for code, points in weighing.issues.items() if points >= ruleset.ruleset.thresholds.issue]
    return tuple(sorted(found, key=lambda code: (ruleset.issues[code].rank, code)))


def _assists(issues: tuple[str, ...], lead: str, primary: str | None, weighing: Weighing, ruleset: RuleSet) -> tuple[Assist, ...]:
    """The departments that help, by rank of issue, those that a met rule names first; each once, the lead never."""
    helpers: dict[str, Assist] = {}
    for issue in issues:
        special = [
            Assist(code, issue, rule.clause)
            for rule in weighing.met
            if rule.kind == "issue" and rule.code == issue
            for code in rule.assists
        ]
        usual = [
            Assist(assist.department, issue, assist.clause)
            for assist in ruleset.issues[issue].assists
            if not assist.only or primary in assist.only
        ]
        for helper in (*special, *usual):
            if helper.department != lead:
                helpers.setdefault(helper.department, helper)
    return tuple(helpers.values())


def _certainty(weighing: Weighing, ruleset: RuleSet) -> int:
    """How far the evidence is from another lead: the smaller of the scope's lead over its best rival and the department's over the next."""
    scope = weighing.inside - weighing.against[0]
    by_department: dict[str, int] = {}
    for code, points in weighing.categories.items():
        department = ruleset.ruleset.categories[code].department
        by_department[department] = by_department.get(department, 0) + points
    first, second, *_ = [*sorted(by_department.values(), reverse=True), 0, 0]
    return max(min(scope, first - second), 0)


def _urgency(weighing: Weighing) -> Urgency:
    for urgency in (Urgency.EMERGENCY, Urgency.URGENT):
        if urgency.value in weighing.signals:
            return urgency
    return Urgency.NORMAL
