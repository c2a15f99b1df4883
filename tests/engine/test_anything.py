"""Whatever text comes in: an answer comes out, always the same, in time, and each piece of evidence stands where it says."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.complaint import MAX_CONTENT, Complaint
from models.decision import Decision, Outcome
from models.ruleset import RuleSet
from service.engine import Engine
from service.engine.text import Reader
from tests.engine.texts import STRANGE, anything, complaints, written

SECONDS = 10.0
"""A long text may take so long at most; where each word was held against all others it took minutes."""

TRAPS = {
    "words": "舞蹈培训班，",
    "one long word": "舞蹈培训班",
    "negations": "不是舞蹈培训班，",
    "exclusions": "广场舞蹈培训班，",
    "frames": "数学课退费",
    "open quotes": "【最近派发",
    "closed quotes": "【最近派发】",
    "brackets": "【",
    "aliases": "兰求陪训",
    "without width": "舞\u200b蹈\u200b",
    "full width": "Ａ９＋",
    "half characters": "\ud800舞蹈",
    "dots": "...",
    "letters": "abc",
    "line breaks": "\r\n",
}


def assert_evidence_stands(complaint: Complaint, decision: Decision) -> None:
    for piece in decision.evidence:
        field: str = getattr(complaint, piece.field)
        assert 0 <= piece.start < piece.end <= len(field)
        assert field[piece.start : piece.end] == piece.quote


def assert_sound(ruleset: RuleSet, complaint: Complaint, decision: Decision) -> None:
    assert_evidence_stands(complaint, decision)
    assert (decision.lead is None) == (decision.decision is Outcome.RETURN)
    assert decision.lead in {None, *(department.code for department in ruleset.departments)}
    assert decision.lead not in {assist.department for assist in decision.assists}
    assert len(decision.assists) <= ruleset.ruleset.max_assists
    assert decision.reason
    assert decision.certainty >= 0


@given(data=st.data())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_text_gets_a_sound_answer_and_always_the_same(shipped: Engine, shipped_words: list[str], data: st.DataObject) -> None:
    complaint = data.draw(complaints(anything(shipped_words) | written(shipped_words)))
    decision = shipped.triage(complaint)
    assert_sound(shipped.ruleset, complaint, decision)
    assert shipped.triage(complaint) == decision


def test_every_sample_gets_a_sound_answer(shipped: Engine, samples: list[Complaint]) -> None:
    for sample in samples:
        assert_sound(shipped.ruleset, sample, shipped.triage(sample))


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_quote_is_the_term_as_it_was_typed(shipped: Engine, shipped_words: list[str], data: st.DataObject) -> None:
    """Folded as terms are, a quote reads as its term, but for words that the aliases write out."""
    complaint = Complaint(data.draw(written(shipped_words)))
    aliases = set(shipped.ruleset.aliases)
    fold = Reader({}, ()).fold
    for piece in shipped.triage(complaint).evidence:
        if not any(alias in fold(piece.quote) for alias in aliases):
            assert fold(piece.quote) == piece.term


@pytest.mark.parametrize("strange", STRANGE, ids=ascii)
def test_a_strange_character_anywhere_hides_no_other_word(shipped: Engine, strange: str) -> None:
    plain = shipped.triage(Complaint("孩子在舞蹈培训班，不退费。"))
    odd = shipped.triage(Complaint(f"孩子在舞蹈培训班，{strange}不退费。{strange}"))
    assert (odd.decision, odd.lead, odd.categories) == (plain.decision, plain.lead, plain.categories)


@pytest.mark.parametrize("trap", TRAPS)
def test_a_text_of_any_length_is_read_in_time(shipped: Engine, trap: str) -> None:
    text = TRAPS[trap]
    complaint = Complaint((text * (MAX_CONTENT // len(text))) + "舞蹈培训班，孩子")
    began = time.process_time()
    assert_evidence_stands(complaint, shipped.triage(complaint))
    assert time.process_time() - began < SECONDS


def test_two_engines_of_the_same_rules_agree(shipped: Engine, samples: list[Complaint]) -> None:
    again = Engine(shipped.ruleset)
    assert [again.triage(sample) for sample in samples] == [shipped.triage(sample) for sample in samples]
