"""Reading: however the same words are typed, the decision is the same, and what was quoted from an old order decides nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.complaint import Complaint
from models.decision import Decision, Outcome
from models.ruleset import RuleSet
from service.engine import Engine
from tests.engine.district import fired, rules, scores, triage
from tests.engine.texts import vocabulary

PLAIN = "孩子在校外机构学篮球，机构不退费。"
CODING = {"id": "letters.coding", "category": "letters", "terms": ["python编程", "c++"]}


def verdict(decision: Decision) -> tuple[object, ...]:
    return decision.decision, decision.reason_code, decision.lead, decision.categories, decision.issues, decision.certainty


@pytest.mark.parametrize(
    "typed",
    [
        "孩子在校外機構學籃球，機構不退費。",
        "孩子在校外机构学兰球，机构不退费。",
        "孩子在校\u200b外机\ufeff构学篮\u200d球，机构不退\u00ad费。",
        "\u2066孩子在校外机构学篮球\u2069，机构不退费。",
        "孩子在校外機\u200b構学蘭球，机构不退费。",
        "【退回重办】孩子在校外机构学篮球，机构不退费。",
    ],
)
def test_the_same_words_decide_the_same(typed: str) -> None:
    assert verdict(triage(rules(), typed)) == verdict(triage(rules(), PLAIN))


@pytest.mark.parametrize(
    "typed", ["培训班教python编程", "培训班教Python编程", "培训班教ＰＹＴＨＯＮ编程", "培训班教ｐｙｔｈｏｎ編程", "培训班教C＋＋"]
)
def test_letters_are_read_whatever_their_width_and_case(typed: str) -> None:
    assert scores(triage(rules(CODING), typed)) == {"letters": 6}


@pytest.mark.parametrize("typed", ["BU习班教篮球", "bu习班教篮球", "Ｂｕ習班教篮球"])
def test_aliases_are_folded_too(typed: str) -> None:
    assert triage(rules(), typed).lead == "ball_office"


def test_the_quote_is_the_word_as_it_was_typed() -> None:
    (hit,) = [piece for piece in triage(rules(), "培训班教兰\u200b球").evidence if piece.rule == "ball.programs"]
    assert (hit.term, hit.quote, hit.start, hit.end) == ("篮球", "兰\u200b球", 4, 7)


def test_the_longest_alias_is_read_where_several_begin() -> None:
    ruleset = rules().model_copy(update={"aliases": {"兰球": "篮球", "兰球班": "舞蹈"}})
    assert fired(triage(ruleset, "兰球班", asserted_scope=True)) == {"stage.programs"}


@pytest.mark.parametrize("separator", ["", "\u200b", "\u2066"])
@given(places=st.lists(st.integers(0, len(PLAIN)), max_size=6))
@settings(max_examples=40, deadline=None)
def test_characters_without_width_change_nothing(separator: str, places: list[int]) -> None:
    typed = PLAIN
    for place in sorted(places, reverse=True):
        typed = typed[:place] + separator + typed[place:]
    assert verdict(triage(rules(), typed)) == verdict(triage(rules(), PLAIN))


def test_every_order_of_the_samples_decides_the_same_in_full_width_letters(shipped: Engine, samples: list[Complaint]) -> None:
    wide = {code: code + 0xFEE0 for code in map(ord, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")}
    for sample in samples:
        typed = Complaint(sample.content.translate(wide), sample.title.translate(wide), sample.institution.translate(wide))
        assert verdict(shipped.triage(typed)) == verdict(shipped.triage(Complaint(sample.content, sample.title, sample.institution)))


class TestQuotedOrders:
    OLD = "【最近派发的工单编号：TJ1，工单内容：舞蹈培训班【含戏剧】不退费】"

    @pytest.mark.parametrize("text", [PLAIN + OLD, OLD + PLAIN, PLAIN[:7] + OLD + PLAIN[7:], PLAIN + OLD + OLD])
    def test_an_old_order_in_brackets_decides_nothing(self, text: str) -> None:
        assert verdict(triage(rules(), text)) == verdict(triage(rules(), PLAIN))

    @pytest.mark.parametrize("opener", ["最近派发", "最近派發", "市级关联工单", "省退回重办"])
    def test_the_openers_of_the_pack_are_known(self, opener: str) -> None:
        assert triage(rules(), f"【{opener}：舞蹈培训班】").decision is Outcome.RETURN

    def test_other_brackets_are_read(self) -> None:
        assert triage(rules(), "【舞蹈培训班】").lead == "stage_office"

    def test_evidence_after_a_quote_stands_where_it_says(self) -> None:
        text = self.OLD + "篮球培训班"
        for piece in triage(rules(), text).evidence:
            assert text[piece.start : piece.end] == piece.quote

    def test_a_quote_cut_short_ends_with_its_field(self) -> None:
        """Titles are cut at some length: what follows in the content must still be read."""
        decision = triage(rules(), PLAIN, title="【最近派发的工单编号：TJ1，工单内容：舞蹈培")
        assert decision.lead == "ball_office"
        assert "stage.programs" not in fired(decision)

    def test_a_quote_never_closed_hides_the_rest_of_its_field(self) -> None:
        assert triage(rules(), "【最近派发的工单：舞蹈培训班不退费").decision is Outcome.RETURN


@pytest.fixture(scope="module")
def words(shipped_rules: RuleSet) -> list[str]:
    return vocabulary(shipped_rules)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_no_way_of_typing_a_word_closes_the_gate(shipped: Engine, words: list[str], data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(words))
    typed = "".join(data.draw(st.sampled_from(ways(char))) for char in word)
    assert verdict(shipped.triage(Complaint(f"孩子，{typed}，三千元"))) == verdict(shipped.triage(Complaint(f"孩子，{word}，三千元")))


def ways(char: str) -> list[str]:
    """How else one may type a character: the other case, full width, the sign of Kelvin, something without width behind it."""
    if char.isascii() and char.isalnum():
        wide = [chr(ord(each) + 0xFEE0) for each in (char.lower(), char.upper())]
        return [char, char.lower(), char.upper(), *wide, *("\u212a" if char in "kK" else "")]
    return [char, f"{char}\u200b"]
