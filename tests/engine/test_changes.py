"""What a change of the rules may do: order none, a term only more for its own category, an exclusion only less for its own rule."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from models.complaint import Complaint
from models.decision import Decision, Evidence
from models.ruleset import RuleSet
from service.engine import Engine
from service.engine.explain import MOST_EVIDENCE
from service.rulebook import load
from tests.engine.district import HEAD, rules, scores
from tests.packs.build import tiny

SYLLABLES = ["甲", "乙", "丙", "丁", "，"]
"""A language so small that terms meet, overlap and contain each other all the time; jieba knows none of its words."""

WORD = st.text("甲乙丙丁", min_size=1, max_size=3)
WORDS = st.lists(WORD, min_size=1, max_size=3, unique=True)
TEXT = st.lists(st.sampled_from(SYLLABLES), min_size=8, max_size=40).map("".join)
LOW = {**HEAD["thresholds"], "category": 0, "share": 0, "issue": 0}
"""Every point shows in the decision."""


def rule(name: str, **target: str) -> st.SearchStrategy[dict[str, Any]]:
    """A rule of any shape; it may need or be blocked by a signal, never by a rule of its own category."""
    return st.fixed_dictionaries(
        {
            "id": st.just(name),
            "terms": WORDS,
            "strength": st.sampled_from(["strong", "medium", "weak"]),
            **{k: st.just(v) for k, v in target.items()},
        },
        optional={
            "unless": WORDS,
            "near": st.fixed_dictionaries({"words": WORDS, "within": st.integers(0, 6)}),
            "needs": st.just(["signal:any"]),
            "blocked_by": st.just(["signal.block"]),
            "in": st.lists(st.sampled_from(["title", "head", "content"]), min_size=1, unique=True),
            "loose": st.booleans(),
        },
    )


@st.composite
def rulesets(draw: st.DrawFn) -> RuleSet:
    """A few rules for two categories, an issue and two signals, under any weights."""
    zones = {place: draw(st.sampled_from([0, 50, 100, 150])) for place in ("institution", "title", "head", "body")}
    repeat = draw(st.sampled_from([[100, 50, 25], [100], [50, 100, 100]]))
    made = [
        draw(rule("ball.one", category="ball")),
        draw(rule("ball.two", category="ball")),
        draw(rule("stage.one", category="stage")),
        draw(rule("issue.one", issue="refund")),
        {"id": "signal.any", "signal": "any", "terms": draw(WORDS)},
        {"id": "signal.block", "signal": "block", "terms": draw(WORDS)},
    ]
    negations = [{"words": draw(WORDS), "within": draw(st.integers(0, 4)), "side": draw(st.sampled_from(["after", "before"]))}]
    return rules(*made, thresholds=LOW, zones={**zones, "head_length": 6}, repeat=repeat, negations=negations)


def with_more(ruleset: RuleSet, name: str, **more: tuple[str, ...]) -> RuleSet:
    """The same rules, one of them with more terms or exclusions."""
    changed = [
        rule.model_copy(update={key: (*getattr(rule, key), *words) for key, words in more.items()}) if rule.id == name else rule
        for rule in ruleset.rules
    ]
    return ruleset.model_copy(update={"rules": tuple(changed)})


def decide(ruleset: RuleSet, texts: list[str]) -> list[Decision]:
    """Decisions on the texts, the hotline having asserted the scope; the first half of each is its title."""
    engine = Engine(ruleset)
    return [engine.triage(Complaint(text[len(text) // 2 :], text[: len(text) // 2], asserted_scope=True)) for text in texts]


@given(ruleset=rulesets(), term=WORD, texts=st.lists(TEXT, min_size=40, max_size=40))
@settings(max_examples=12, deadline=None)
def test_a_term_more_never_means_less_for_its_own_category(ruleset: RuleSet, term: str, texts: list[str]) -> None:
    for before, after in zip(decide(ruleset, texts), decide(with_more(ruleset, "ball.one", terms=(term,)), texts), strict=True):
        assert scores(after).get("ball", 0) >= scores(before).get("ball", 0)
        assert scores(after).get("stage", 0) == scores(before).get("stage", 0)


@given(ruleset=rulesets(), word=WORD, texts=st.lists(TEXT, min_size=40, max_size=40))
@settings(max_examples=12, deadline=None)
def test_an_exclusion_more_only_takes_from_its_own_rule(ruleset: RuleSet, word: str, texts: list[str]) -> None:
    for before, after in zip(decide(ruleset, texts), decide(with_more(ruleset, "ball.one", unless=(word,)), texts), strict=True):
        assert points(after, "ball.one") <= points(before, "ball.one")
        assert scores(after).get("ball", 0) <= scores(before).get("ball", 0)
        assert others(after) == others(before) or len(before.evidence) == MOST_EVIDENCE


def others(decision: Decision) -> list[Evidence]:
    return [piece for piece in decision.evidence if piece.rule != "ball.one"]


def points(decision: Decision, name: str) -> int:
    return sum(piece.weight for piece in decision.evidence if piece.rule == name)


@given(data=st.data(), ruleset=rulesets(), texts=st.lists(TEXT, min_size=40, max_size=40))
@settings(max_examples=8, deadline=None)
def test_the_order_of_rules_means_nothing(data: st.DataObject, ruleset: RuleSet, texts: list[str]) -> None:
    shuffled = ruleset.model_copy(
        update={
            "rules": tuple(data.draw(st.permutations(ruleset.rules))),
            "departments": tuple(data.draw(st.permutations(ruleset.departments))),
            "aliases": dict(data.draw(st.permutations(list(ruleset.aliases.items())))),
        }
    )
    assert decide(shuffled, texts) == decide(ruleset, texts)


def test_the_order_of_files_means_nothing() -> None:
    files = tiny()
    texts = [
        "云溪区某篮球班不给退费，孩子没法上课。",
        "篮球班和舞蹈班一起关门了。",
        "退休职工的舞蹈班收费太高。",
        "孩子学网球的校外培训关门了。",
    ]
    backwards = {name: files[name] for name in reversed(files)}
    assert decide(load(backwards), texts) == decide(load(files), texts)


def test_the_order_of_the_shipped_rules_means_nothing(shipped: Engine, samples: list[Complaint]) -> None:
    given = shipped.ruleset
    backwards = {"rules": given.rules[::-1], "words": given.words[::-1], "lists": dict(reversed(given.lists.items()))}
    reversed_ = Engine(given.model_copy(update=backwards))
    assert [reversed_.triage(sample) for sample in samples] == [shipped.triage(sample) for sample in samples]


def test_a_program_more_hides_only_what_stands_inside_it() -> None:
    """The name of a program is a word: what it holds is no longer found by itself, so the longer name counts instead of its parts."""
    parts = {"id": "stage.programs", "category": "stage", "terms": ["钢琴", "考级"], "program": True}
    whole = {**parts, "terms": ["钢琴", "考级", "钢琴考级"]}
    before, after = (decide(rules(each, zones=HEAD["zones"]), ["培训班的钢琴考级，", "培训班，钢琴和考级"]) for each in (parts, whole))
    assert [scores(decision) for decision in before] == [{"stage": 9}, {"stage": 9}]
    assert [scores(decision) for decision in after] == [{"stage": 6}, {"stage": 9}]
