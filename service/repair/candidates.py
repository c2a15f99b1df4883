"""Candidates: every small edit that might mend one of the wrong cases."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from models.ruleset import Rule, RuleSet, Status, Strength
from service.engine.evidence import Hit
from service.engine.judge import OUT_REASONS
from service.engine.terms import PLACE
from service.engine.tokens import OUTSIDE
from service.repair.words import TAUGHT, TEACHING, Word
from service.repair.workshop import Candidate
from service.rulebook.edits import Edit
from service.ruletest.bench import Bench, Ready

RETURN = "return"
STEPS = (Strength.WEAK, Strength.MEDIUM, Strength.STRONG)
WIDER = (4, 8, 16)
FARTHEST = 100
"""As models.ruleset.Near bounds `within`."""
TERM, EXCLUSION, FRAME, LISTED, REACH, STRENGTH = 1, 1, 1, 2, 2, 4
"""Sizes: how many other complaints an edit of each kind may move."""
MOST_PAIRED = 6
CAUSE = 8
"""How likely it makes an exclusion that the hit it cancels has misled, and a frame word that the term it frames stands there."""
KIN = 4
"""How likely it makes a word that it holds a term which supports the same: 已经备案 holds 备案."""


@dataclass(slots=True)
class Wish:
    """What a wrong case needs more of and less of, as rules support it; rules that it names itself."""

    more: set[str] = field(default_factory=set)
    less: set[str] = field(default_factory=set)
    rules: set[str] = field(default_factory=set)

    def wants(self, rule: Rule) -> bool:
        return rule.supports in self.more or rule.id in self.rules


def wish_of(ready: Ready, ruleset: RuleSet) -> Wish:
    """What a case needs to come out as it should."""
    wish, case, came = Wish(), ready.sample.case, ready.came
    out = {reason.value: f"scope:{code.value}" for code, reason in OUT_REASONS.items()}
    returned = came.decision == RETURN
    if case.decision == RETURN or case.reason_code in out:
        wish.more |= {out[case.reason_code]} if case.reason_code in out else set(out.values())
        wish.less |= {"scope:in", *(f"category:{code}" for code in came.categories)}
    elif returned and (case.decision or case.lead or case.category or case.categories):
        wish.more.add("scope:in")
        wish.less |= set(out.values())
    wanted = {*(case.categories or ()), *((case.category,) if case.category else ())}
    if not wanted and case.lead and case.decision != "escalate":
        wanted = {code for code, category in ruleset.ruleset.categories.items() if category.department == case.lead}
    if case.categories is not None or wanted:
        wish.more |= {f"category:{code}" for code in wanted}
        wish.less |= {f"category:{code}" for code in came.categories - wanted}
    if case.issues is not None:
        wish.more |= {f"issue:{code}" for code in set(case.issues) - came.issues}
        wish.less |= {f"issue:{code}" for code in came.issues - set(case.issues)}
    if case.urgency and case.urgency != came.urgency:
        wish.more.add(f"signal:{case.urgency}")
        wish.less.add(f"signal:{came.urgency}")
    wish.rules |= set(case.hits)
    return wish


def candidates(ready: Ready, bench: Bench, ruleset: RuleSet, words: list[Word]) -> Iterator[Candidate]:
    """Every edit that might mend a case, of the smallest kinds first."""
    wish = wish_of(ready, ruleset)
    own = [word for word in words if word.text in ready.reading.text]
    hits = ready.hits
    yield from _terms(ruleset, wish, own)
    yield from _exclusions(ready, bench, ruleset, wish, hits)
    yield from _frames(ready, bench, ruleset, wish, own, {hit.rule.id for hit in hits})
    yield from _strengths(ruleset, wish, hits)


def pairs(ready: Ready, ruleset: RuleSet, words: list[Word]) -> Iterator[Candidate]:
    """One word in two rules: for a category and for being training at all."""
    wish = wish_of(ready, ruleset)
    own = [word for word in words if word.text in ready.reading.text]
    open_rules = [rule for rule in _open(ruleset) if rule.near is None and not rule.needs and not rule.blocked_by]
    inside = [rule for rule in open_rules if rule.supports == "scope:in"][:MOST_PAIRED]
    for rule in (rule for rule in open_rules if rule.category and wish.wants(rule)):
        for scope in inside if "scope:in" in wish.more else ():
            for word in own:
                edits = (Edit("terms", rule.id, word.text), Edit("terms", scope.id, word.text))
                yield Candidate(edits, 2 * TERM, word.likely_for(rule) + affinity(word.text, rule))


def _open(ruleset: RuleSet) -> Iterator[Rule]:
    """Active rules to which a plain term may be added."""
    return (rule for rule in ruleset.rules if rule.status is Status.ACTIVE and any(not PLACE.search(term) for term in rule.terms))


def _terms(ruleset: RuleSet, wish: Wish, words: list[Word]) -> Iterator[Candidate]:
    for rule in _open(ruleset):
        if wish.wants(rule):
            kin = {term for each in ruleset.rules if each.supports == rule.supports for term in each.terms}
            for word in words:
                if word.text not in kin:
                    akin = KIN * any(term in word.text for term in kin)
                    yield Candidate((Edit("terms", rule.id, word.text),), TERM, word.likely_for(rule) + akin + affinity(word.text, rule))


def affinity(word: str, rule: Rule) -> int:
    """How much the names in a rule look like a word: 街舞 belongs to 舞蹈, 芭蕾舞, 拉丁舞. Of what went wrong this tells nothing."""
    if rule.category is None:
        return 0
    return min(sum(1 for term in rule.terms if set(word) & set(PLACE.sub("", term))), 4)


def _exclusions(ready: Ready, bench: Bench, ruleset: RuleSet, wish: Wish, hits: Sequence[Hit]) -> Iterator[Candidate]:
    """Longer words around a hit that misled, for its rule or for a list of exclusions that several rules share."""
    rules = {rule.id: rule for rule in ruleset.rules}
    for hit in hits:
        rule = rules.get(hit.rule.id)
        if rule is not None and rule.supports in wish.less:
            lists = [place for word in rule.unless for place in PLACE.findall(word) if place in ruleset.lists]
            for likely, phrase in around(ready, bench, hit):
                if phrase not in rule.unless:
                    yield Candidate((Edit("unless", rule.id, phrase),), EXCLUSION, likely)
                yield from (Candidate((Edit("list", name, phrase),), LISTED, likely) for name in lists)


def around(ready: Ready, bench: Bench, hit: Hit) -> list[tuple[int, str]]:
    """The hit's words with one or two tokens more before or behind, inside one block of text; the shorter the likelier."""
    text = ready.reading.text
    left, right = hit.start, hit.end
    while left > 0 and not OUTSIDE.match(text, left - 1):
        left -= 1
    while right < len(text) and not OUTSIDE.match(text, right):
        right += 1
    borders = [left]
    for token in bench.plan.cutter.cut(text[left:right]):
        borders.append(borders[-1] + len(token))
    starts = [hit.start, *reversed([place for place in borders if place < hit.start])][:3]
    ends = [hit.end, *(place for place in borders if place > hit.end)][:3]
    found = [
        (CAUSE - before - behind - _teaching(text, hit, start, end), text[start:end])
        for before, start in enumerate(starts)
        for behind, end in enumerate(ends)
    ]
    return [(likely, phrase) for likely, phrase in found if hit.end - hit.start < len(phrase) <= 12]


def _teaching(text: str, hit: Hit, start: int, end: int) -> int:
    """How much an exclusion would cancel what is meant: 学篮球 and 篮球班 are just what the term is there for."""
    return CAUSE * (bool(TAUGHT.search(text[start : hit.start])) + bool(TEACHING.match(text[hit.end : end])))


def _frames(ready: Ready, bench: Bench, ruleset: RuleSet, wish: Wish, words: list[Word], fired: set[str]) -> Iterator[Candidate]:
    """For rules whose terms stand in the text but did not count: another frame word, or a wider frame."""
    for rule in ruleset.rules:
        order = bench.orders.get(rule.id)
        if rule.near is None or order is None or rule.id in fired or not wish.wants(rule):
            continue
        if any(order in bench.plan.roles[pattern].terms for pattern in ready.patterns):
            for word in words:
                if word.text not in rule.near.words and word.likely >= 0:
                    yield Candidate((Edit("near", rule.id, word.text),), FRAME, word.likely + CAUSE)
            for more in WIDER:
                if rule.near.within + more <= FARTHEST:
                    yield Candidate((Edit("within", rule.id, str(rule.near.within + more)),), REACH + more // 8)


def _strengths(ruleset: RuleSet, wish: Wish, hits: Sequence[Hit]) -> Iterator[Candidate]:
    """One step stronger for what speaks rightly, one step weaker for what misled."""
    rules = {rule.id: rule for rule in ruleset.rules}
    for rule in dict.fromkeys(rules[hit.rule.id] for hit in hits if hit.rule.id in rules):
        step = STEPS.index(rule.strength) + (wish.wants(rule)) - (rule.supports in wish.less)
        if rule.signal is None and 0 <= step < len(STEPS) and STEPS[step] is not rule.strength:
            yield Candidate((Edit("strength", rule.id, STEPS[step].value),), STRENGTH)
