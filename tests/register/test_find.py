"""Which institution a complaint names: in the field, in the text, misheard; and which it does not."""

from typing import Any

import pytest

from models.complaint import ABSENT, Complaint
from models.register import Institution
from models.ruleset import RuleSet
from service.engine.register import Register, field_only
from service.engine.tokens import Cutter
from tests.register.conftest import FEW, Find


def named(find: Find, content: str = "诉求", **more: Any) -> str | None:
    hit = find(content, **more)
    return hit.id if hit and hit.listed else None


class TestTheField:
    @pytest.mark.parametrize(
        ("written", "how"),
        [
            ("天津鲸豆湾体育发展有限公司", "exact"),
            ("天津鯨豆灣體育發展有限公司", "exact"),
            ("鲸豆湾体育发展有限公司", "alias"),
            ("鲸豆湾", "alias"),
            (" 鲸 豆 湾 ", "alias"),
            ("北辰区鲸豆湾游泳馆（瑞景店）", "alias"),
            ("瑞景街道鲸豆湾", "alias"),
            ("鲸豆湾游泳培训中心", "alias"),
            ("京豆湾", "fuzzy"),
            ("鲸斗湾游泳馆", "fuzzy"),
            ("天津京豆湾体育发展有限公司", "fuzzy"),
        ],
    )
    def test_is_understood_however_the_name_is_written(self, find: Find, written: str, how: str) -> None:
        hit = find(institution=written)
        assert hit is not None
        assert (hit.id, hit.how, hit.field) == ("1", how, "institution")
        assert hit.quote == written[hit.start : hit.end]

    def test_goes_before_the_text(self, find: Find) -> None:
        assert named(find, "蔓汀舞蹈和鲸豆湾都关门了", institution="鲸豆湾") == "1"

    def test_that_names_nobody_leaves_it_to_the_text(self, find: Find) -> None:
        assert named(find, "孩子在蔓汀跳舞", institution="某舞蹈培训机构") == "2"

    def test_ordinary_words_are_names_there(self, find: Find) -> None:
        assert named(find, institution="阳光") == "7"

    def test_of_an_institution_that_is_not_listed_says_so(self, find: Find) -> None:
        hit = find("孩子在七棱塔学画画", institution="七棱塔")
        assert hit is not None
        assert (hit.how, hit.name, hit.category, hit.listed, hit.quote) == (ABSENT, "七棱塔", None, False, "七棱塔")

    def test_of_one_that_the_text_tells_of_is_not_taken_for_another_in_the_text(self, find: Find) -> None:
        hit = find("孩子在七棱塔学画画，以前在蔓汀跳舞", institution="七棱塔")
        assert hit is not None
        assert hit.how == ABSENT

    def test_that_the_text_knows_nothing_of_gives_way_to_the_text(self, find: Find) -> None:
        assert named(find, "孩子在蔓汀舞蹈摔伤了", institution="小天鹅芭蕾") == "2"

    def test_is_quoted_in_part_where_it_is_long(self, find: Find) -> None:
        hit = find(institution="七棱塔" * 40)
        assert hit is not None
        assert len(hit.quote) == hit.end == 60


class TestTheText:
    @pytest.mark.parametrize(
        "text",
        [
            "孩子在蔓汀跳舞摔伤了",
            "闺女七岁，蔓汀舞蹈的老师打人",
            "找“蔓汀”退费",
            "在蔓汀",
            "蔓汀街舞课",
            "蔓汀道歉了也不退费",
            "在蔓\u200b汀跳舞",
        ],
    )
    def test_is_searched_for_names_and_aliases(self, find: Find, text: str) -> None:
        assert named(find, text) == "2"

    def test_the_title_too(self, find: Find) -> None:
        hit = find("不退费", title="鲸豆湾关门了")
        assert hit is not None
        assert (hit.id, hit.field, hit.start, hit.quote) == ("1", "title", 0, "鲸豆湾")

    def test_the_first_of_several_counts(self, find: Find) -> None:
        assert named(find, "鲸豆湾和蔓汀舞蹈是一个老板") == "1"
        assert named(find, "蔓汀舞蹈和鲸豆湾是一个老板") == "2"

    @pytest.mark.parametrize("text", ["京豆湾 就是教游泳的 跑了", "我在鲸斗湾给孩子报的游泳课", "鯨鬥灣關門了"])
    def test_is_searched_for_slips_of_ears_and_keyboards(self, find: Find, text: str) -> None:
        hit = find(text)
        assert hit is not None
        assert (hit.id, hit.how) == ("1", "fuzzy")
        assert text[hit.start : hit.end] == hit.quote

    def test_a_quoted_old_order_does_not_count(self, find: Find) -> None:
        assert named(find, "【最近办结：蔓汀舞蹈不退费】孩子学游泳") is None

    @pytest.mark.parametrize(
        "text",
        [
            "阳光很好，孩子学艺术培训",
            "平衡墨水用完了",
            "隔壁新蔓汀舞蹈不退费",
            "家住琴溪里小区3号楼",
            "家住琴溪里5号楼",
            "蔓汀路堵车",
            "翎朔小学的老师",
            "翎朔附近的饭店油烟大",
            "不是蔓汀，是另一家",
            "饭店挨着蔓汀",
        ],
    )
    def test_ordinary_words_places_landmarks_and_longer_names_are_nobody(self, find: Find, text: str) -> None:
        assert find(text) is None

    def test_an_alias_of_common_characters_needs_the_kind_of_house_behind_it(self, rules: RuleSet, cut: Cutter) -> None:
        register = Register.of([Institution(id="9", name="天津明大英语培训有限公司", aliases=("明大",))], rules, cut)
        assert register.find(Complaint("我叫李明大，来反映噪音")) is None
        assert register.find(Complaint("孩子在明大英语补课")) is not None


class TestNearNames:
    @pytest.mark.parametrize(
        ("written", "street"),
        [
            ("北弧篮球俱乐部", "小淀镇"),
            ("北弧篮球", ""),
            ("半亩棠书院", "佳荣里街道"),
            ("半亩棠", ""),
            ("天津海芩信息科技有限公司", "双街镇"),
            ("天津海琴信息科技有限公司", "双街镇"),
            ("海芩艺术", "双街镇"),
            ("新鲸豆湾", ""),
            ("北湖足球训练营", ""),
            ("京豆湾", "天穆镇"),
            ("林硕教育", ""),
            ("林硕教育", "北仓镇"),
        ],
    )
    def test_are_other_institutions(self, find: Find, written: str, street: str) -> None:
        assert named(find, f"孩子在{written}上课", institution=written, street=street) is None
        assert named(find, f"孩子在{written}上课", street=street) is None

    def test_but_two_slips_are_believed_where_the_street_agrees(self, find: Find) -> None:
        assert named(find, institution="林硕教育", street="天穆镇") == "3"

    def test_a_name_that_two_institutions_have_is_nobodys(self, rules: RuleSet, cut: Cutter) -> None:
        twins = [Institution(id=str(n), name=f"天津蔓汀{kind}有限公司", aliases=("蔓汀",)) for n, kind in enumerate(("舞蹈", "美术"))]
        register = Register.of(twins, rules, cut)
        assert register.find(Complaint("孩子在蔓汀上课")) is None
        assert register.find(Complaint("孩子在蔓汀美术上课")) is not None


class TestSamples:
    """What the sample register must find in the sample orders, the near names among them."""

    MISHEARD = {"sample-046": "翎朔", "sample-072": "鲸豆湾", "sample-074": "鲸豆湾", "sample-100": "青榆"}  # noqa: RUF012
    NEAR = {  # noqa: RUF012
        "sample-007", "sample-030", "sample-063", "sample-066", "sample-083", "sample-084", "sample-086", "sample-090",
    }  # fmt: skip
    TEXT_ONLY = {  # noqa: RUF012
        "sample-006": "漪墨舫", "sample-024": "蔓汀", "sample-037": "铆钉猫", "sample-067": "比特薯", "sample-069": "蜻蜓隼",
        "sample-070": "鲸豆湾", "sample-081": "砚启禾", "sample-091": "彩葵里", "sample-092": "铆钉猫", "sample-094": "拍拍鹭",
        "sample-096": "砖头熊", "sample-097": "砚启禾", "sample-109": "衡墨", "sample-115": "比特薯",
    }  # fmt: skip

    def test_near_names_are_not_found(self, sample_register: Register, sample_orders: dict[str, Complaint]) -> None:
        found = {number: sample_register.find(sample_orders[number]) for number in self.NEAR}
        assert {number for number, hit in found.items() if hit and hit.listed} == set()

    def test_misheard_and_mentioned_names_are_found(self, sample_register: Register, sample_orders: dict[str, Complaint]) -> None:
        for number, name in (self.MISHEARD | self.TEXT_ONLY).items():
            hit = sample_register.find(sample_orders[number])
            assert hit is not None, number
            assert name in hit.name
            assert (hit.how == "fuzzy") == (number in self.MISHEARD)

    def test_every_other_one_is_listed_by_its_field_or_not_at_all(
        self, sample_register: Register, sample_orders: dict[str, Complaint]
    ) -> None:
        for number, complaint in sample_orders.items():
            hit = sample_register.find(complaint)
            if hit and hit.listed and number not in self.MISHEARD and number not in self.TEXT_ONLY:
                assert hit.field == "institution", number

    def test_every_hit_stands_where_it_says(self, sample_register: Register, sample_orders: dict[str, Complaint]) -> None:
        hits = [(complaint, hit) for complaint in sample_orders.values() if (hit := sample_register.find(complaint))]
        assert len(hits) > 70
        assert all(getattr(complaint, hit.field)[hit.start : hit.end] == hit.quote for complaint, hit in hits)


class TestTheRegister:
    def test_an_empty_one_finds_nothing_and_misses_nobody(self, rules: RuleSet, cut: Cutter) -> None:
        complaint = Complaint("孩子在蔓汀跳舞", institution="蔓汀")
        assert Register.of((), rules, cut).find(complaint) is None
        assert Register.of((), rules, cut).look_up(complaint) is complaint

    def test_does_not_depend_on_the_order_of_its_rows(self, few: Register, rules: RuleSet, cut: Cutter) -> None:
        reversed_ = Register.of(FEW[::-1], rules, cut)
        for text in ("鲸豆湾和蔓汀", "京豆湾", "海琴艺术和半亩塘", "阳光"):
            assert reversed_.find(Complaint(text)) == few.find(Complaint(text))

    def test_needs_no_rule_set(self, cut: Cutter) -> None:
        hit = Register.of(FEW, None, cut).find(Complaint("孩子在鲸豆湾学游泳"))
        assert hit is not None

    def test_names_the_aliases_that_are_looked_for_in_the_field_only(self, rules: RuleSet, cut: Cutter) -> None:
        assert [alias for _, alias in field_only(FEW, rules, cut)] == ["阳光", "艺术培训"]
