"""Meaning: sound rules that can never do what they are meant to do, alone or beside the others."""

from collections.abc import Container, Iterable, Iterator, Mapping
from math import prod
from typing import NamedTuple

from pydantic import ValidationError

from models.ruleset import Rule, Status
from service.engine.terms import PLACE, PROGRAM, expand_term, word_lists
from service.engine.text import Reader
from service.rulebook.mistakes import Loc, Severity, Words
from service.rulebook.pack import Pack
from service.rulebook.references import Names, sheets_of
from service.rulebook.sheet import Sheet
from service.rulebook.terms import WORDS_IN_RULES, WORDS_OF_RULES, Fold
from service.rulebook.wording import likely, shortened

MOST_TERMS = 200_000
"""Terms of a pack after all `{list}` places are written out; more would make the automaton slow to build and large to keep."""
MOST_PLACES = 2
MOST_PAIRS = 2_000_000
"""Pairs of term and exclusion that are compared for one rule; beyond, the comparison is left out."""

Lists = Mapping[str, tuple[str, ...]]


class Placed(NamedTuple):
    """A rule that is sound by itself, and where it stands."""

    sheet: Sheet
    loc: Loc
    rule: Rule

    def word(self, key: str, number: int) -> Loc:
        """The way to one of its words."""
        return (*self.loc, *key.split("."), number)

    def words(self) -> Iterator[tuple[Loc, str]]:
        """Every word that may hold `{list}` places, with the way to it."""
        near = self.rule.near.words if self.rule.near else ()
        for key, words in (("terms", self.rule.terms), ("unless", self.rule.unless), ("near.words", near)):
            for number, word in enumerate(words):
                yield self.word(key, number), word


def check_meaning(pack: Pack, names: Mapping[str, Names], reader: Reader) -> None:
    """Note rules, lists and aliases that cannot mean what they say."""
    placed = list(_sound(pack))
    whole = not names["rule"].open and _all_sound(pack, placed, names)
    _check_programs(placed)
    _check_list_names(pack, names)
    lists = word_lists((each.rule for each in placed), _lists(pack))
    _check_lists_used(pack)
    written = [each for each in placed if _check_places(each, lists, names, whole=whole)]
    if _check_bound(written, lists):
        for each in written:
            if whole or not any(
                "{" in term for term in each.rule.terms
            ):  # a list that lacks a broken rule's words would seem to be at fault
                _check_unless(each, lists, reader)
    _check_categories(placed, reader.fold)
    if whole:
        _check_waiting(placed)
    _check_aliases(pack, reader.fold)


def _sound(pack: Pack) -> Iterator[Placed]:
    for sheet in pack.rules():
        for loc, node in sheet.walk("rules.*"):
            try:
                yield Placed(sheet, loc, Rule.model_validate(node.plain()))
            except ValidationError:  # the sheet has told it already
                continue


def _all_sound(pack: Pack, placed: list[Placed], names: Mapping[str, Names]) -> bool:
    """Whether every rule is sound and speaks for something that exists, so that what is missing is missing."""
    written = sum(1 for sheet in pack.rules() for _ in sheet.walk("rules.*"))
    return written == len(placed) and all(rule.category is None or rule.category in names["category"].codes for _, _, rule in placed)


def _lists(pack: Pack) -> dict[str, tuple[str, ...]]:
    return {str(loc[-1]): tuple(node.texts()) for sheet in pack.rules() for loc, node in sheet.walk("lists.*")}


def _check_programs(placed: Iterable[Placed]) -> None:
    for sheet, loc, rule in placed:
        if rule.program and not rule.category:
            said = "useless_program", "program 只对 category 规则有用", "请删掉 program，或写明 category"
            sheet.report((*loc, "program"), said, at=sheet.root.key_at((*loc, "program")))


def _check_list_names(pack: Pack, names: Mapping[str, Names]) -> None:
    """A list must not take the name by which all programs, or those of one category, are meant."""
    for sheet in pack.rules():
        for loc, _ in sheet.walk("lists.*"):
            if loc[-1] == PROGRAM or loc[-1] in names["category"].codes:
                said = "reserved_name", f"{loc[-1]} 是自动生成的清单，不能另写", "请换一个名字"
                sheet.report(loc, said, at=sheet.root.key_at(loc))


def _check_lists_used(pack: Pack) -> None:
    used = {
        name
        for sheet in pack.rules()
        for pattern in WORDS_OF_RULES
        for _, node in sheet.walk(pattern)
        for name in PLACE.findall(node.text or "")
    }
    for sheet in pack.rules():
        for loc, _ in sheet.walk("lists.*"):
            if loc[-1] not in used and sheet.whole:
                said = "unused_list", f"清单 {loc[-1]} 没有规则用到", f'请在 terms 里写 "{{{loc[-1]}}}"，或删掉它'
                sheet.report(loc, said, at=sheet.root.key_at(loc), severity="warning")


def _check_places(each: Placed, lists: Lists, names: Mapping[str, Names], *, whole: bool) -> bool:
    """Whether every `{list}` place of a rule can be filled. Lists of programs are judged only where all rules could be read."""
    sound, made = True, {PROGRAM, *names["category"].codes}
    for loc, word in each.words():
        places = PLACE.findall(word)
        for place in places:
            if place not in lists:
                sound = False
                if whole or not (place in made or names["rule"].open or names["category"].open):
                    each.sheet.report(loc, _no_list(place, lists, made))
        if len(places) > MOST_PLACES:
            sound = False
            said = "too_many_places", f"一个词里至多用 {MOST_PLACES} 个清单", "请把其中几个写明"
            each.sheet.report(loc, said)
    return sound


def _no_list(place: str, lists: Lists, made: Container[str]) -> Words:
    if place in made:
        said = f"{{{place}}} 是空的：{'没有' if place == PROGRAM else f'类别 {place} 没有'}标着 program: true 的规则"
        return "empty_list", said, "请在写明项目名称的规则里加上 program: true"
    guess = likely(place, lists)
    hint = f"您是否想写 {{{guess}}}？" if guess else f"可以用：{'、'.join(sorted(lists))}" if lists else "请先在 lists 里写明"
    return "unknown_list", f"没有清单 {{{shortened(place)}}}", hint


def _check_bound(placed: Iterable[Placed], lists: Lists) -> bool:
    """Whether all terms written out stay within the bound."""
    sizes = [(_size(word, lists), each.sheet, loc) for each in placed for loc, word in each.words()]
    total = sum(size for size, _, _ in sizes)
    if total <= MOST_TERMS:
        return True
    largest, sheet, loc = max(sizes, key=lambda size: size[0])
    message = f"所有词语展开后有 {total} 个，超过 {MOST_TERMS} 个；这一个就有 {largest} 个"
    sheet.report(loc, ("too_many_terms", message, "请少用一个清单，或把清单分小"))
    return False


def _size(term: str, lists: Lists) -> int:
    return prod(len(lists[place]) for place in PLACE.findall(term))


def _check_unless(each: Placed, lists: Lists, reader: Reader) -> None:
    """Note terms that an exclusion always cancels, and exclusions that never cancel any."""
    unless = _written(each.rule.unless, lists, reader)
    if not unless:
        return
    terms = _written(each.rule.terms, lists, reader)
    if sum(map(len, terms)) * sum(map(len, unless)) > MOST_PAIRS:
        return
    _check_cancelled(each, terms, unless)
    known = {term for words in terms for term in words}
    for number, outs in enumerate(unless):
        # Nearly all exclusions hold a term, which is seen without going through the terms.
        if not any(_holds(out, known) or any(_may_overlap(out, term) for term in known) for out in outs):
            message = f"unless 里的 {shortened(each.rule.unless[number])} 与本规则的词语没有重叠的字，不起作用"
            each.sheet.warn(each.word("unless", number), ("idle_unless", message, "unless 写的是包含误中词语的更长的词；请检查"))


def _check_cancelled(each: Placed, terms: list[list[str]], unless: list[list[str]]) -> None:
    """A term that is always cancelled is a warning; a rule all of whose terms are is an error."""
    cancelled = {}
    for number, words in enumerate(terms):
        out = next((out for outs in unless for out in outs if all(out in term for term in words)), None)
        if out is not None:
            cancelled[number] = out
    severity: Severity = "error" if len(cancelled) == len(terms) else "warning"
    for number, out in cancelled.items():
        message = f"{shortened(each.rule.terms[number])} 永远不会命中：它含有本规则 unless 里的 {out}"
        said = "cancelled_term", message, "请从 terms 或 unless 里删掉一个"
        each.sheet.report(each.word("terms", number), said, severity=severity)


def _written(words: Iterable[str], lists: Lists, reader: Reader) -> list[list[str]]:
    """Each word written out, as it is searched for."""
    return [reader.fold_all(expand_term(word, lists)) for word in words]


def _holds(out: str, terms: set[str]) -> bool:
    """Whether one of the terms stands in it."""
    return any(out[start:end] in terms for start in range(len(out)) for end in range(start + 1, len(out) + 1))


def _may_overlap(out: str, term: str) -> bool:
    """Whether there is a text in which both stand on at least one common character."""
    if term[0] not in out and out[0] not in term:
        return False
    if out in term or term in out:
        return True
    return any(out.endswith(term[:size]) or term.endswith(out[:size]) for size in range(1, min(len(out), len(term))))


def _check_categories(placed: Iterable[Placed], fold: Fold) -> None:
    """Note plain terms that speak for two categories, unless one of the rules says why."""
    first: dict[str, Placed] = {}
    for each in placed:
        rule = each.rule
        if rule.category is None or rule.status is not Status.ACTIVE:
            continue
        for number, term in enumerate(rule.terms):
            before = first.setdefault(fold(term), each)
            if before.rule.category != rule.category and not (rule.why or before.rule.why):
                message = f"{shortened(term)} 同时支持 {before.rule.category}（规则 {before.rule.id}）和 {rule.category}"
                each.sheet.warn(each.word("terms", number), ("two_categories", message, "请只留一处；确需两处时在规则里用 why 写明理由"))


def _check_waiting(placed: Iterable[Placed]) -> None:
    """Note live rules that need others of which none is live: they can never fire. What is on trial counts for trials only."""
    placed = list(placed)
    known = {name for each in placed for name in (each.rule.id, each.rule.supports)}
    heard = {
        Status.ACTIVE: _names(placed, Status.ACTIVE),
        Status.TRIAL: _names(placed, Status.ACTIVE, Status.TRIAL),
    }
    for each in placed:
        needs, live = each.rule.needs, heard.get(each.rule.status)
        if needs and live is not None and known.issuperset(needs) and live.isdisjoint(needs):
            said = "never_fires", f"永远不会命中：needs 里的 {'、'.join(needs)} 没有启用的规则", "请启用其中一条，或改 needs"
            each.sheet.warn((*each.loc, "needs"), said)


def _names(placed: Iterable[Placed], *statuses: Status) -> set[str]:
    """What rules of these statuses may be called by in `needs`."""
    return {name for each in placed if each.rule.status in statuses for name in (each.rule.id, each.rule.supports)}


def _check_aliases(pack: Pack, fold: Fold) -> None:
    """Note aliases that change nothing, and words that are never met because an alias replaces them."""
    meanings: dict[str, str] = {}
    for sheet in sheets_of(pack, "aliases.yaml"):
        for loc, node in sheet.walk("aliases.*"):
            alias, meaning = fold(str(loc[-1])), fold(node.text or "")
            if alias == meaning:
                sheet.report(loc, ("idle_alias", f"{loc[-1]} 的别名就是它自己", "请删掉这一行"))
            else:
                meanings[alias] = meaning
    longest = max(map(len, meanings), default=0)
    for sheet in pack.rules():
        for pattern in WORDS_IN_RULES:
            for loc, node in sheet.walk(pattern):
                word = fold(node.text or "")
                if inside := _alias_in(word, meanings, longest):
                    message = f"{shortened(word)} 永远不会命中：来话里的 {inside} 先按 aliases.yaml 换成了 {meanings[inside]}"
                    sheet.warn(loc, ("replaced_word", message, f"请改写成 {word.replace(inside, meanings[inside])}"))


def _alias_in(word: str, aliases: Container[str], longest: int) -> str | None:
    """The first alias inside a word."""
    ends = ((start, end) for start in range(len(word)) for end in range(start + 1, min(start + longest, len(word)) + 1))
    return next((word[start:end] for start, end in ends if word[start:end] in aliases), None)
