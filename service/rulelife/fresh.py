"""A new rule with its test: where it belongs and what it supports is read off the rules of its family.

Nothing is written that would not load, not hold, or not be met by a case.

begun = begin(files, Wish("arts.handpan", ("手碟",)))      # or NewRefused, with what stands in the way
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.complaint import Complaint
from models.ruleset import Expectation, Rule, RuleSet
from service import rulebook, ruletest
from service.engine import Engine
from service.errors import StartError
from service.prover.sentences import Stage
from service.rulebook import Mistake
from service.rulebook.additions import add_rule, homes
from service.rulebook.borders import NATURAL
from service.rulebook.edits import CannotEdit, add_case, cases_beside

ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
TARGETS = ("category", "scope", "issue", "signal")


class NewRefused(StartError):
    """新规则没有写入。"""

    code = "new_refused"
    title = "新规则没有写入"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a new rule; all but id and terms can be known from its family, or left out."""

    id: str
    terms: tuple[str, ...]
    name: str = ""
    unless: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    within: int = 12
    strength: str = "medium"
    status: str = "trial"
    program: bool = False
    target: Mapping[str, str] = field(default_factory=dict)
    clause: str = ""
    file: str = ""
    hits: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Begun:
    """The pack with the new rule and its cases: which files changed, the cases, what the check reminds of."""

    files: Mapping[str, str]
    file: str
    cases_file: str
    cases: tuple[str, ...]
    warnings: tuple[str, ...]
    invented: bool
    outcome: str
    """What is decided now on the first case, in words."""
    program_family: bool
    """Whether its family has rules of what is taught."""


def begin(files: Mapping[str, str], wish: Wish) -> Begun:
    """The pack with the wished rule and at least one case that it meets; NewRefused says what stands in the way."""
    before = rulebook.check(files)
    ruleset = _sound(files, before, "规则包本来就有错误，请先改好：")
    _free(ruleset, wish)
    name = _home(files, wish, ruleset)
    family = [rule for rule in ruleset.rules if rule.id.startswith(_prefix(wish))]
    written = _rule(wish, family)
    _not_twice(ruleset, wish, _target(wish, family))
    try:
        with_rule = add_rule(files, name, written)
    except CannotEdit as refusal:
        raise NewRefused(f"{refusal}。") from refusal
    after = rulebook.check(with_rule)
    engine = Engine(_sound(with_rule, after, "这样写会有错误，没有写入："))
    cases, invented, met = _cases(engine, wish)
    changed: Mapping[str, str] = with_rule
    try:
        for case in cases:
            changed = add_case(changed, cases_beside(name), case)
    except CannotEdit as refusal:
        raise NewRefused(f"{refusal}。") from refusal
    _holds(changed)
    outcome = engine.triage(met).reason
    has_programs = any(one.program for one in family)
    return Begun(changed, name, cases_beside(name), cases, _new(before, after), invented, outcome, has_programs)


def _prefix(wish: Wish) -> str:
    return wish.id.partition(".")[0] + "."


def _free(ruleset: RuleSet, wish: Wish) -> None:
    if ID.fullmatch(wish.id) is None:
        raise NewRefused(f"规则编号 {wish.id} 不合格式，应为小写字母、数字和下划线，中间有点，例如 arts.handpan。")
    if not wish.terms:
        raise NewRefused("请写词语（--terms），用逗号分开。")
    if any(rule.id == wish.id for rule in ruleset.rules):
        raise NewRefused(f"已经有规则 {wish.id}；要给它加词，请直接改它的 terms。")


def _home(files: Mapping[str, str], wish: Wish, ruleset: RuleSet) -> str:
    if wish.file:
        return wish.file
    found = homes(files, _prefix(wish))
    if len(found) == 1:
        return found[0]
    if found:
        raise NewRefused(f"{_prefix(wish)}* 的规则在几个文件里（{'、'.join(found)}），请用 --file 写明写在哪一个。")
    known = sorted({rule.id.partition(".")[0] for rule in ruleset.rules})
    raise NewRefused(f"没有以 {_prefix(wish)} 开头的规则，不知道写在哪个文件；请用 --file 写明，或改用已有的开头：{'、'.join(known)}。")


def _rule(wish: Wish, family: list[Rule]) -> dict[str, Any]:
    """The rule as it is written, in the order in which officials write them."""
    rule: dict[str, Any] = {"id": wish.id, "name": wish.name or wish.terms[0], **_target(wish, family), "terms": list(wish.terms)}
    if wish.unless:
        rule["unless"] = list(wish.unless)
    if wish.near:
        rule["near"] = {"words": list(wish.near), "within": wish.within}
    rule |= {"strength": wish.strength, "status": wish.status} | ({"program": "true"} if wish.program else {})
    clauses = {one.clause for one in family if _supports(one) == _target(wish, family)} or {one.clause for one in family}
    clause = wish.clause or (next(iter(clauses)) if len(clauses) == 1 else None)
    return rule | ({"clause": clause} if clause else {})


def _target(wish: Wish, family: list[Rule]) -> dict[str, str]:
    if wish.target:
        return dict(wish.target)
    known = {one.supports for one in family}
    if len(known) != 1:
        told = "、".join(sorted(known)[:12]) or "没有同类规则可循"
        raise NewRefused(f"请写明支持什么（--category、--scope、--issue、--signal 之一）；同一开头的规则有：{told}。")
    return _supports(family[0])


def _not_twice(ruleset: RuleSet, wish: Wish, target: Mapping[str, str]) -> None:
    """A term that another rule has for the same thing would count twice."""
    told = [
        f"{term} 已在规则 {rule.id}（{rule.name}）里"
        for rule in ruleset.rules
        for term in wish.terms
        if term in rule.terms and _supports(rule) == target
    ]
    if told:
        raise NewRefused(f"{'；'.join(told)}，没有写入。")


def _supports(rule: Rule) -> dict[str, str]:
    kind, _, value = rule.supports.partition(":")
    return {kind: value}


def _sound(files: Mapping[str, str], mistakes: list[Mistake], heading: str) -> RuleSet:
    errors = [str(mistake) for mistake in mistakes if mistake.severity == "error"]
    if errors:
        raise NewRefused("\n".join([heading, *errors]))
    return rulebook.restore(files, 0)


def _cases(engine: Engine, wish: Wish) -> tuple[tuple[str, ...], bool, Complaint]:
    """The cases, each seen to hold; where none was given, a sentence of the rule's own words is found."""
    for text, should in [*((text, True) for text in wish.hits), *((text, False) for text in wish.misses)]:
        if _fires(engine, wish.id, Complaint(text)) is not should:
            fired = "、".join(sorted({hit.rule.id for hit in engine.hits(Complaint(text))})) or "没有规则"
            said = "没有命中" if should else "命中了"
            raise NewRefused(f"“{text}”{said} {wish.id}（命中的：{fired}），没有写入。请改词语，或换一个例子。")
    met = [Complaint(text) for text in wish.hits]
    missed = [Complaint(text) for text in wish.misses]
    invented = not met
    if invented:
        met, missed = _found(engine, wish, missed)
    lines = [_line(case, hits=(wish.id,)) for case in met] + [_line(case, not_hits=(wish.id,)) for case in missed]
    return tuple(lines), invented, met[0]


def _found(engine: Engine, wish: Wish, missed: list[Complaint]) -> tuple[list[Complaint], list[Complaint]]:
    """A sentence of the rule's own words that it meets, and the same with an exclusion, which it does not."""
    frame = next(_frames(engine, wish), None)
    if frame is None:
        raise NewRefused("用这些词语造不出能命中的句子，没有写入；请看词语是否被分词切开，或用 --hits 写一个应当命中的诉求。")
    met, around = frame
    spared = [around(word) for word in wish.unless[:1] if not missed]
    return [met], missed + [case for case in spared if not _fires(engine, wish.id, case)]


def _frames(engine: Engine, wish: Wish) -> Iterator[tuple[Complaint, Callable[[str], Complaint]]]:
    """Sentences in which the rule fires, and how each is made of a word: as callers speak first, then all that the prover knows."""
    for around in map(_set, NATURAL):
        for word in wish.terms:
            if _fires(engine, wish.id, around(word)):
                yield around(word), around
    stage = Stage(engine)
    planned = next(rule for rule in stage.plan.rules if rule.id == wish.id)
    if planned.order in stage.firing:
        yield stage.firing[planned.order], stage.way[planned.order].around


def _set(setting: str) -> Callable[[str], Complaint]:
    return lambda word: Complaint(setting.format(word))


def _fires(engine: Engine, rule: str, complaint: Complaint) -> bool:
    return any(hit.rule.id == rule for hit in engine.hits(complaint))


def _line(complaint: Complaint, hits: tuple[str, ...] = (), not_hits: tuple[str, ...] = ()) -> str:
    text = complaint.content or complaint.title or complaint.institution
    title = complaint.title if complaint.content else ""
    given = {"text": text, "title": title, "institution": complaint.institution, "hits": hits, "not": not_hits}
    return ruletest.case_line(Expectation.model_validate(given))


def _holds(files: Mapping[str, str]) -> None:
    try:
        report = ruletest.run(Engine(rulebook.restore(files, 0)), files)
    except rulebook.PackError as broken:
        raise NewRefused(f"用例有错误，没有写入：\n{broken}") from broken
    if not report.passed:
        raise NewRefused(f"写入之后有用例不符，没有写入：\n{ruletest.text(report)}")


def _new(before: list[Mistake], after: list[Mistake]) -> tuple[str, ...]:
    """Reminders that the addition brought about; those that only moved down are none."""
    known = {(one.file, one.rule, one.code, one.message) for one in before}
    return tuple(str(one) for one in after if (one.file, one.rule, one.code, one.message) not in known)
