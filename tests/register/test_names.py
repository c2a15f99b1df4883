"""Names taken apart, and how they sound."""

import pytest

from service.engine.names import Ears, Names, brand
from service.engine.tokens import Cutter
from tests.register import sounds

NAMES = Names(places=("云溪市", "云溪区"), programs=("舞蹈", "英语", "篮球"))


@pytest.fixture(scope="module")
def ears(cut: Cutter) -> Ears:
    return Ears(cut.weight)


class TestTakingApart:
    @pytest.mark.parametrize(
        ("name", "bare", "core"),
        [
            ("云溪市云溪区珀文英语培训学校", "珀文英语培训学校", "珀文英语"),
            ("云溪市蔓汀舞蹈培训有限责任公司", "蔓汀舞蹈培训", "蔓汀舞蹈"),
            ("蔓汀舞蹈（云溪二店）", "蔓汀舞蹈", "蔓汀舞蹈"),
            ("ＡＢＣ 英語 培訓 中心", "abc英语培训中心", "abc英语"),
            ("云溪区", "云溪区", "云溪区"),
        ],
    )
    def test_leaves_out_place_form_and_kind_as_far_as_something_is_left(self, name: str, bare: str, core: str) -> None:
        assert (NAMES.bare(name), NAMES.core(name)) == (bare, core)

    @pytest.mark.parametrize(
        ("name", "telling"), [("云溪市蔓汀舞蹈艺术培训有限公司", "蔓汀"), ("英语培训学校", ""), ("珀文", "珀文"), ("少儿篮球俱乐部", "")]
    )
    def test_tells_what_is_its_own(self, name: str, telling: str) -> None:
        assert NAMES.telling(name) == telling

    def test_two_branches_are_not_the_same_whole_name(self) -> None:
        assert NAMES.whole("蔓汀舞蹈（东店）") != NAMES.whole("蔓汀舞蹈（西店）")
        assert NAMES.plain("蔓汀舞蹈（东店）") == NAMES.plain("蔓汀舞蹈（西店）")

    def test_tells_what_is_taught(self) -> None:
        assert NAMES.taught("蔓汀舞蹈英语") == {"舞蹈", "英语"}

    @pytest.mark.parametrize(
        "name", ["某舞蹈学校", "不详", "无", "舞蹈培训机构", "小区里的英语班", "xx培训学校", "**舞蹈", "云溪区英语学校"]
    )
    def test_a_name_for_want_of_a_name_is_none(self, name: str) -> None:
        assert not NAMES.is_proper(name)

    @pytest.mark.parametrize("name", ["七棱塔", "咚哒鼓社", "辰茵足球", "北弧篮球俱乐部", "云溪市海芩信息科技有限公司"])
    def test_a_proper_name_is_one(self, name: str) -> None:
        assert NAMES.is_proper(name)

    def test_the_brand_is_what_names_have_in_common(self) -> None:
        assert brand("鲸豆湾体育发展", ["鲸豆湾", "鲸豆湾游泳馆", "小鲸鱼"]) == "鲸豆湾"
        assert brand("鲸豆湾", []) == "鲸豆湾"


class TestSound:
    def test_the_table_is_what_pypinyin_says(self) -> None:
        """After a new pypinyin: `python -m tests.register.sounds`."""
        assert sounds.FILE.read_text(encoding="utf-8") == sounds.text()

    @pytest.mark.parametrize(("one", "other"), [("鲸豆湾", "京斗弯"), ("翎朔", "林硕"), ("张", "脏"), ("程", "岑"), ("吕", "绿")])
    def test_alike_are_those_that_ears_take_for_one_another(self, ears: Ears, one: str, other: str) -> None:
        assert ears.sound(one) == ears.sound(other)

    @pytest.mark.parametrize(("one", "other"), [("渠", "稷"), ("弯", "文"), ("路", "绿"), ("ab", "ac")])
    def test_unlike_are_others(self, ears: Ears, one: str, other: str) -> None:
        assert ears.sound(one) != ears.sound(other)

    @pytest.mark.parametrize(("meant", "heard"), [("鲸", "京"), ("豆", "斗"), ("翎", "林"), ("朔", "硕"), ("榆", "鱼")])
    def test_ears_put_in_the_commoner_character(self, ears: Ears, meant: str, heard: str) -> None:
        assert heard in ears.instead(meant)

    @pytest.mark.parametrize(("meant", "written"), [("湖", "弧"), ("塘", "棠"), ("琴", "芩"), ("鲸", "豆"), ("鲸", "鲸")])
    def test_a_rarer_character_is_meant(self, ears: Ears, meant: str, written: str) -> None:
        assert written not in ears.instead(meant)
