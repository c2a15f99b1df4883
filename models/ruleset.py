"""The shape of a pack: every YAML file that officials own, and the rule set they make together."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from models.clocks import CalendarFile, ClocksFile
from models.incidents import IncidentsFile
from models.retention import RetentionFile
from models.strict import ClauseId, Label, Prose, Strict

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
RuleId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$", max_length=80)]
Term = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Terms = Annotated[tuple[Term, ...], Field(min_length=1, max_length=2000)]
Points = Annotated[int, Field(ge=0, le=1000)]
Percent = Annotated[int, Field(ge=0, le=1000)]
Place = Literal["institution", "title", "head", "content"]
"""`head` is the first part of the content, `head_length` characters; `content` is all of it."""


class ScopeCode(StrEnum):
    """What scope evidence supports: `in` (training outside school for children), or one reason why it is not our business."""

    IN = "in"
    SCHOOL = "school"
    KINDERGARTEN = "kindergarten"
    ADULT = "adult"
    CHILDCARE = "childcare"
    CARE_ONLY = "care_only"
    OTHER_MATTER = "other_matter"
    OTHER_DISTRICT = "other_district"


class Strength(StrEnum):
    """How much one hit of a rule tells; the points stand in ruleset.yaml."""

    STRONG = "strong"
    MEDIUM = "medium"
    WEAK = "weak"


class Status(StrEnum):
    """trial: seen in evidence, without weight; quarantined: the same, by the ledger's doing; retired: kept for the record."""

    TRIAL = "trial"
    ACTIVE = "active"
    QUARANTINED = "quarantined"
    RETIRED = "retired"


NAMING = (Status.ACTIVE, Status.QUARANTINED)
"""Rules of these statuses lend the names of their programs to others: in quarantine a name stays a name, it only decides nothing."""


class Near(Strict):
    """A frame: a hit counts only where one of `words` stands within `within` characters, in the same sentence."""

    words: Terms
    within: int = Field(12, ge=0, le=100)


class Rule(Strict):
    """One rule: where one of `terms` is met, it is evidence for exactly one category, scope, issue or signal.

    A term may hold `{list}` places: `{program}班` stands for one term for each program. `unless` words that overlap a hit cancel it.
    `assists` (of an issue's rule): departments that help where this rule is met, before those that the issue names.
    `needs`: at least one of these rules or signals must fire too; `blocked_by`: none of these may. `loose` lets terms match inside words.
    """

    id: RuleId
    name: Label
    category: Code | None = None
    scope: ScopeCode | None = None
    issue: Code | None = None
    signal: Code | None = None
    terms: Terms
    unless: tuple[Term, ...] = ()
    places: tuple[Place, ...] = Field(("institution", "title", "content"), alias="in", min_length=1)
    near: Near | None = None
    needs: tuple[str, ...] = ()
    blocked_by: tuple[str, ...] = ()
    strength: Strength = Strength.MEDIUM
    status: Status = Status.ACTIVE
    program: bool = False
    loose: bool = False
    assists: tuple[Code, ...] = ()
    clause: ClauseId | None = None
    why: Prose | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if sum(target is not None for target in (self.category, self.scope, self.issue, self.signal)) != 1:
            raise ValueError("每条规则须且只须写明 category、scope、issue、signal 之一")
        return self

    @property
    def supports(self) -> str:
        """What a hit is evidence for, as `category:arts`, `scope:in`, `issue:refund` or `signal:child`."""
        for kind in ("category", "scope", "issue", "signal"):
            value = getattr(self, kind)
            if value is not None:
                return f"{kind}:{value}"
        raise AssertionError("a rule has a target")


class Department(Strict):
    """单位: stable code, the name of today, other names by which it is written, its duty with clause."""

    code: Code
    name: Label
    aliases: tuple[Label, ...] = ()
    duty: Prose
    clause: ClauseId | None = None
    external: bool = False


class Document(Strict):
    """A policy document that clauses quote."""

    title: Label
    issuer: Label
    number: str = ""
    date: str = ""


class Clause(Strict):
    """条款: the document, the article and its exact words."""

    document: Code
    article: Label
    quote: Prose


class Category(Strict):
    """机构类别, with the department in charge and the clause that says so."""

    name: Label
    department: Code
    clause: ClauseId | None = None


class IssueAssist(Strict):
    """A department that assists where an issue is met; `only` limits it to some lead departments' categories."""

    department: Code
    clause: ClauseId | None = None
    only: tuple[Code, ...] = ()


class Issue(Strict):
    """问题类型, in order of rank: the assists of a lower rank go first when there are too many."""

    name: Label
    rank: int = Field(50, ge=0, le=100)
    assists: tuple[IssueAssist, ...] = ()


class ReturnAdvice(Strict):
    """What a return says: the reason in Chinese, the unit to suggest, the clause."""

    reason: Prose
    suggest: Label | None = None
    clause: ClauseId | None = None


class Negation(Strict):
    """Words that cancel a hit at most `within` characters from them, in the same clause of the sentence.

    `after`: the hit begins after them (不是投诉英语班). `before`: it ends before them (英语班和美术班都没意见); there, what 、 lists is
    one clause.
    """

    words: Terms
    within: int = Field(4, ge=0, le=30)
    side: Literal["after", "before"] = "after"


class Answer(Strict):
    """One answer to a question, and the category or scope that it settles."""

    code: Code
    text: Label
    category: Code | None = None
    scope: ScopeCode | None = None


class Question(Strict):
    """追问: what to ask a caller, and what each answer settles."""

    text: Prose
    answers: Annotated[tuple[Answer, ...], Field(min_length=2, max_length=12)]


class Zones(Strict):
    """How much the place of a hit counts, in percent; `head` is the first `head_length` characters of the content."""

    institution: Percent = 150
    title: Percent = 150
    head: Percent = 120
    body: Percent = 100
    head_length: int = Field(80, ge=0, le=1000)


class Thresholds(Strict):
    """When evidence is enough, in points. `share` is the percent of the best category's points that makes another one count."""

    scope: Points = 10
    margin: int = Field(0, ge=-1000, le=1000)
    out: Points = 6
    category: Points = 6
    issue: Points = 6
    share: Percent = 30
    dispatch: Points = 0


class RegisterStatus(Strict):
    """What a status in the register tells: an issue and how much, and what the officer is told; `{name}` and `{status}` are filled in."""

    issue: Code | None = None
    strength: Strength = Strength.STRONG
    clause: ClauseId | None = None
    notice: Prose | None = None


class RegisterPoints(Strict):
    """What it tells that the register (名录) holds the institution, or does not.

    `scope` counts where the hotline's field for the institution names it, `mention` where only the text does. `statuses` are
    those that a register may hold; empty: any. `places` stand before registered names, and callers leave them out.
    """

    scope: Points = 20
    mention: Points = 5
    places: tuple[Term, ...] = ()
    statuses: dict[Label, RegisterStatus] = Field(default_factory=dict)
    absent: RegisterStatus | None = None


class Floor(Strict):
    """When a rule is quarantined: at least `cases` confirmed, and the upper end of the exact interval at `confidence` below `precision`.

    All in percent but `cases`. The ledger is looked at again and again, hence the high confidence.
    """

    precision: int = Field(60, ge=0, le=100)
    cases: int = Field(20, ge=1, le=100_000)
    confidence: int = Field(99, ge=50, le=99)


class Calibration(Strict):
    """What `fenpai calibrate` found: right with at least `promise` at `confidence`, on `n` labelled complaints.

    `coverage` is the share of the complaints that belong to exactly one department and are dispatched to it.
    """

    promise: float = Field(ge=0, le=1)
    confidence: float = Field(ge=0, le=1)
    certified: bool
    threshold: Points
    n: int = Field(ge=0)
    dispatched: int = Field(ge=0)
    right: int = Field(ge=0)
    bound: float = Field(ge=0, le=1)
    coverage: float = Field(ge=0, le=1)
    curve: tuple[tuple[int, float], ...] = ()
    gold: str = ""


class RulesetFile(Strict):
    """ruleset.yaml: the district, its categories, and the numbers of judgement."""

    pack: Code
    name: Label
    district: tuple[Label, ...] = ()
    other_districts: tuple[Label, ...] = ()
    coordinator: Code
    max_assists: int = Field(3, ge=0, le=18)
    comprehensive_over: int = Field(3, ge=1, le=18)
    escalation_clause: ClauseId | None = None
    emergency_notices: tuple[Prose, ...] = ()
    quoted: tuple[Term, ...] = ()
    listen: tuple[ScopeCode, ...] = (ScopeCode.IN,)
    categories: dict[Code, Category] = Field(min_length=1)
    points: dict[Strength, Points]
    repeat: tuple[Percent, ...] = (100, 50, 25)
    zones: Zones = Zones()
    thresholds: Thresholds = Thresholds()
    register_points: RegisterPoints = Field(RegisterPoints(), alias="register")
    negations: tuple[Negation, ...] = ()
    dominant: Code | None = None
    dominant_share: Percent = 50
    identification: tuple[RuleId, ...] = ()
    second_person: bool = False
    returns: dict[ScopeCode, ReturnAdvice]
    no_evidence: ReturnAdvice
    questions: dict[Code, Question] = Field(default_factory=dict)
    floor: Floor | None = None
    calibration: Calibration | None = None


class DepartmentsFile(Strict):
    """departments.yaml."""

    departments: Annotated[tuple[Department, ...], Field(min_length=1)]


class ClausesFile(Strict):
    """clauses.yaml."""

    documents: dict[Code, Document]
    clauses: dict[ClauseId, Clause]


class RulesFile(Strict):
    """scope.yaml, signals.yaml and categories/*.yaml: named word lists and rules."""

    lists: dict[Code, Terms] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()


class IssuesFile(RulesFile):
    """issues.yaml: the issues with their assists, and the rules that find them."""

    issues: dict[Code, Issue]


class AliasesFile(Strict):
    """aliases.yaml: how callers and speech-to-text write the domain's words (陪训), and what they mean (培训)."""

    aliases: dict[Term, Term] = Field(default_factory=dict)


class Expectation(Strict):
    """One case beside the rules: a text, and what must (and must not) come of it. Only what is written is checked.

    With `each` it is a table: a case for every word, which stands where the text says `{}`.
    """

    text: Prose
    each: tuple[Term, ...] = ()
    title: str = ""
    institution: str = ""
    asserted_scope: bool = False
    decision: Literal["dispatch", "escalate", "return"] | None = None
    reason_code: Code | None = None
    lead: Code | None = None
    category: Code | None = None
    categories: tuple[Code, ...] | None = None
    issues: tuple[Code, ...] | None = None
    assists: tuple[Code, ...] | None = None
    urgency: Literal["normal", "urgent", "emergency"] | None = None
    hits: tuple[RuleId, ...] = ()
    not_hits: tuple[RuleId, ...] = Field((), alias="not")
    why: str = ""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.each and self.text.count("{}") != 1:
            raise ValueError("each 里的词语逐个放到 text 的 {} 处：text 里须有且只有一处 {}")
        return self

    def written_out(self) -> "tuple[Expectation, ...]":
        """The cases that this one stands for: itself, or one for each word of its table."""
        words = [self.text.replace("{}", word) for word in self.each]
        return tuple(self.model_copy(update={"text": text, "each": ()}) for text in words) or (self,)


class CasesFile(Strict):
    """*.test.yaml: the cases that stand beside a rule file."""

    cases: Annotated[tuple[Expectation, ...], Field(min_length=1)]


class RuleSet(Strict):
    """规则集: all rules of one district at one version, checked and whole. Made by the rulebook only."""

    pack: str
    version: int
    digest: str
    ruleset: RulesetFile
    departments: tuple[Department, ...]
    documents: dict[str, Document]
    clauses: dict[str, Clause]
    issues: dict[str, Issue]
    lists: dict[str, tuple[str, ...]]
    rules: tuple[Rule, ...]
    aliases: dict[str, str]
    words: tuple[str, ...]
    cases: dict[str, tuple[Expectation, ...]]
    clocks: ClocksFile | None = None
    incidents: IncidentsFile | None = None
    retention: RetentionFile | None = None
    calendar: tuple[CalendarFile, ...] = ()

    def department(self, code: str) -> Department:
        """The department with this code; KeyError where the rule set has none."""
        for department in self.departments:
            if department.code == code:
                return department
        raise KeyError(code)
