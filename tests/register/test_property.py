"""Properties: a listed name is found however it is folded; one that shares nothing with it is not; no text upsets the register."""

from hypothesis import given, settings
from hypothesis import strategies as st

from models.complaint import Complaint, RegisterHit
from models.register import Institution
from service.engine.names import Ears, Names
from service.engine.register import Register
from service.engine.tokens import Cutter
from tests.register.conftest import FEW

RARE = "沐芷翎朔珀栎骁汀舫弈隼砚蔓鲸衡墨榆筏漪醒鹭薯铆"
"""Characters of brands: no word of a letter is made of them."""
KINDS = ("舞蹈培训有限公司", "英语培训学校", "篮球俱乐部", "科技有限公司", "文化艺术有限公司")
WIDE = {ord(char): chr(ord(char) + 0xFEE0) for char in "abcABC123"}
TRADITIONAL = str.maketrans("舞学语训鲸湾艺术乐", "舞學語訓鯨灣藝術樂")

brands = st.text(RARE, min_size=2, max_size=4)
names = st.tuples(brands, st.sampled_from(KINDS)).map("".join)
dressed = st.sampled_from(
    [
        lambda name: name,
        lambda name: name.translate(TRADITIONAL),
        lambda name: name.upper().translate(WIDE),
        "\u200b".join,
        lambda name: f"天津市{name}（总店）",
        lambda name: name.replace("有限公司", "有限责任公司"),
    ]
)
quick = settings(max_examples=60, deadline=None)


def register(cut: Cutter, *rows: Institution) -> Register:
    """Without a rule set but with a place to leave out."""
    return Register(rows, Names(places=("天津市",), programs=("舞蹈", "英语", "篮球")), cut)


class TestProperties:
    @quick
    @given(name=names, dress=dressed)
    def test_a_listed_name_is_found_in_its_field_however_it_is_written(self, cut: Cutter, name: str, dress: object) -> None:
        row = Institution(id="1", name=name)
        hit = register(cut, row).find(Complaint("要求退费", institution=dress(name)))  # type: ignore[operator]
        assert hit is not None
        assert hit.id == "1"

    @quick
    @given(
        name=names, alias=brands, before=st.sampled_from(["孩子在", "反映", "投诉：", ""]), after=st.sampled_from(["上课", "，", "不退费"])
    )
    def test_a_name_that_stands_in_a_text_is_found_at_its_place(self, cut: Cutter, name: str, alias: str, before: str, after: str) -> None:
        row = Institution(id="1", name=name, aliases=(alias,))
        text = f"{before}{name}{after}"
        hit = register(cut, row).find(Complaint(text))
        assert hit is not None
        assert text[hit.start : hit.end] == hit.quote
        assert hit.start >= len(before)

    @quick
    @given(listed=st.text(RARE[:11], min_size=2, max_size=4), other=st.text(RARE[11:], min_size=2, max_size=4), kind=st.sampled_from(KINDS))
    def test_a_brand_of_other_characters_is_never_found(self, cut: Cutter, listed: str, other: str, kind: str) -> None:
        ears = Ears(cut.weight)
        found = register(cut, Institution(id="1", name=listed + kind, aliases=(listed,))).find(
            Complaint(f"孩子在{other}{kind}上课", institution=other + kind)
        )
        alike = len(listed) == len(other) and all(one in ears.instead(meant) for one, meant in zip(other, listed, strict=True))
        assert alike or found is None or not found.listed

    @quick
    @given(text=st.text(max_size=200), institution=st.text(max_size=40), title=st.text(max_size=40), street=st.text(max_size=10))
    def test_no_text_upsets_it_and_every_hit_stands_where_it_says(
        self, few: Register, text: str, institution: str, title: str, street: str
    ) -> None:
        complaint = Complaint(text, title=title, institution=institution, street=street)
        hit = few.find(complaint)
        assert hit == few.find(complaint)
        assert hit is None or getattr(complaint, hit.field)[hit.start : hit.end] == hit.quote

    @quick
    @given(
        pieces=st.lists(
            st.sampled_from(["在", "，", "新", "小区", "孩子", "附近", *(name for row in FEW for name in (row.name, *row.aliases))])
        )
    )
    def test_of_listed_names_in_any_text_the_hit_is_one_that_stands_there(self, few: Register, pieces: list[str]) -> None:
        text = "".join(pieces)
        hit: RegisterHit | None = few.find(Complaint(text))
        row = next((row for row in FEW if hit and row.id == hit.id), None)
        assert hit is None or (
            row is not None and hit.quote in (row.name, *row.aliases, Names(("天津市", "天津", "北辰区")).bare(row.name))
        )
