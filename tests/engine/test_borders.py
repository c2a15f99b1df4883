"""Token borders are jieba's own: block by block as a hit asks, by whichever cutter, the same as cutting the whole text at once."""

import re

import jieba
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.complaint import Complaint
from models.ruleset import RuleSet
from service.engine.jieba_cut import Jieba
from service.engine.rjieba_cut import FastJieba
from service.engine.text import Reader
from service.engine.tokens import Borders, Cutter
from tests.engine.texts import NOISE, STRANGE, written

READER = Reader({}, ())
WORDS = ("尤克里里", "音乐小区", "口算", "道法", "五子棋", "c++", "noi", "3d打印", "剩余课时")
"""New to jieba, known to it, known but cut in two by it, and such that are more than letters."""

NEAR_TIES = (
    "哪知这地方更是官官相护",
    "一下课几十个孩子咚咚咚跑",
    "我想掏心掏肺地说几句话",
    "谢谢谢你",
    "滴滴滴泛滥成灾",
    "剩余课时费不退",
    "学noi2024",
)
"""Cuts that turn on the last digit of a sum: they differ as soon as the two dictionaries do."""


@pytest.fixture(scope="module")
def oracle() -> jieba.Tokenizer:
    """A jieba of its own, taught by its own means: each word that it does not keep whole gets a weight that makes it.

    Its sum of weights is put right where it counts twice: B超, which stands in its dictionary twice, and words that are taught again.
    """
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    tokenizer.total = sum(tokenizer.FREQ.values())
    for word in WORDS:
        old = tokenizer.FREQ.get(word, 0)
        if not old or tokenizer.lcut(word, HMM=False) != [word]:
            tokenizer.add_word(word, max(tokenizer.suggest_freq(word), 2))
            tokenizer.total -= old
    return tokenizer


@pytest.fixture(scope="module")
def fast() -> FastJieba:
    return FastJieba(WORDS)


@pytest.fixture(scope="module", params=[FastJieba, Jieba])
def cutter(request: pytest.FixtureRequest) -> Cutter:
    made: Cutter = request.param(WORDS)
    return made


def borders(tokens: list[str]) -> set[int]:
    places, at = {0}, 0
    for token in tokens:
        at += len(token)
        places.add(at)
    return places


def assert_borders(cutter: Cutter, oracle: jieba.Tokenizer, text: str) -> None:
    """Both sides of every character, asked in an order that jumps from block to block."""
    asked, expected = Borders(cutter, text), borders(oracle.lcut(text, HMM=False))
    order = sorted(range(len(text)), key=lambda place: (place % 3, place))
    found = {place for place in order if asked.at(place, place)} | {place + 1 for place in order if asked.at(place + 1, place)}
    assert found | {0} == expected, text


@pytest.mark.parametrize("text", NEAR_TIES)
def test_near_ties_fall_alike(cutter: Cutter, oracle: jieba.Tokenizer, text: str) -> None:
    assert cutter.cut(text) == oracle.lcut(text, HMM=False)


def test_added_words_are_kept_whole(cutter: Cutter) -> None:
    for word in WORDS:
        assert cutter.cut(f"学{word}课") == ["学", word, "课"]


def test_words_do_not_leak_into_another_cutter() -> None:
    assert FastJieba(["尤克里里"]).cut("尤克里里") == ["尤克里里"]
    assert FastJieba([]).cut("尤克里里") != ["尤克里里"]


@pytest.mark.parametrize(
    "text", ["，", "a，b", "，，", "学\n校", "学 校", "3.5%", "a-b_c", "。学校", "学校。", "Ａ学校", "학교学校", "㐀学校", "\U00020000学校"]
)
def test_blocks_end_where_jieba_ends_them(cutter: Cutter, oracle: jieba.Tokenizer, text: str) -> None:
    assert_borders(cutter, oracle, text)


def test_in_the_samples(fast: Cutter, oracle: jieba.Tokenizer, samples: list[Complaint]) -> None:
    for sample in samples:
        assert_borders(fast, oracle, READER.read(sample).text)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_in_any_text(fast: Cutter, oracle: jieba.Tokenizer, shipped_words: list[str], data: st.DataObject) -> None:
    """But for a carriage return before a line feed, which jieba keeps together: no term begins or ends there."""
    pieces = st.lists(st.sampled_from([*NOISE, *STRANGE, *WORDS]) | st.text(max_size=4), max_size=8).map("".join)
    text = READER.read(Complaint(data.draw(written(shipped_words) | pieces))).text
    assert_borders(fast, oracle, re.sub(r"\r\n", "\n", text))


def test_every_word_of_the_shipped_pack_cuts_alike(shipped_rules: RuleSet, samples: list[Complaint]) -> None:
    """The whole dictionary of the pack in both: their totals agree to the last count, or near ties would fall apart."""
    fold = READER.fold
    programs = {fold(term) for rule in shipped_rules.rules if rule.program for term in rule.terms if "{" not in term}
    words = sorted(programs | {fold(word) for word in shipped_rules.words})
    fast, slow = FastJieba(words), Jieba(words)
    for text in [*NEAR_TIES, *words, *(sample.content for sample in samples)]:
        assert fast.cut(text) == slow.cut(text)
