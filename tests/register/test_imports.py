"""A file becomes a change of the register: every mistake told with its place, all or nothing, and out again unchanged."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.register import ImportQuery, ImportReport, Institution
from models.ruleset import RuleSet
from service import store
from service.db import Database
from service.engine.tokens import Cutter
from service.register import RegisterInvalid, RegisterUnreadable, Wanted, as_csv, prepare, read_file, report, write
from service.register.change import plan
from service.register.imports import new_ids
from tests.register.conftest import SAMPLES, csv, workbook

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HEAD = "名称,简称/别名,类别,主管部门,办学许可证号,地址,街道,状态"
DANCE = "蔓汀舞蹈培训有限公司,蔓汀；蔓汀舞蹈,arts,区文化和旅游局（体育局）,艺007,柳岸里增52号,北仓镇,在办"
SWIM = "鲸豆湾体育发展有限公司,鲸豆湾,体育类,文旅局,体015,瑞荷路58号,瑞景街道,注销"

BringIn = Callable[..., ImportReport]


@pytest.fixture
def bring_in(sqlite_database: Database, rules: RuleSet, cut: Cutter) -> BringIn:
    """Import into a database of its own."""

    def bring_in(data: bytes, **how: Any) -> ImportReport:
        wanted = Wanted(read_file(data, rules), ImportQuery(**how), "名录.csv", "tester")
        with sqlite_database.write() as conn:
            made = prepare(conn, wanted, NOW)
            after = made[0] if wanted.how.dry_run else write(conn, wanted, made, NOW)
        assert after is not None
        return report(wanted, made, after, rules, cut)

    return bring_in


@pytest.fixture
def listed(sqlite_database: Database) -> Callable[[], list[Institution]]:
    def listed() -> list[Institution]:
        with sqlite_database.read() as conn:
            return store.read_register(conn)

    return listed


def mistakes(bring_in: BringIn, *rows: str, head: str = HEAD, **how: Any) -> list[str]:
    with pytest.raises(RegisterInvalid) as told:
        bring_in(csv(head, *rows), **how)
    return [str(row) for row in told.value.rows]


class TestReading:
    def test_codes_and_names_are_understood(self, bring_in: BringIn, listed: Callable[[], list[Institution]]) -> None:
        assert bring_in(csv(HEAD, DANCE, SWIM)).added == 2
        dance, swim = listed()
        assert (dance.category, dance.department, dance.aliases) == ("arts", "culture_sports", ("蔓汀", "蔓汀舞蹈"))
        assert (swim.category, swim.department, swim.licence, swim.status) == ("sports", "culture_sports", "体015", "注销")

    def test_columns_stand_in_any_order_under_other_names(self, bring_in: BringIn, listed: Callable[[], list[Institution]]) -> None:
        bring_in(csv("镇街,许可证号,机构名称 ,别名", "北仓镇,艺007,蔓汀舞蹈培训有限公司,蔓汀"))
        [row] = listed()
        assert (row.street, row.licence, row.name, row.aliases) == ("北仓镇", "艺007", "蔓汀舞蹈培训有限公司", ("蔓汀",))

    def test_what_is_left_open_follows(self, bring_in: BringIn, listed: Callable[[], list[Institution]]) -> None:
        bring_in(csv("名称,类别", "蔓汀舞蹈培训有限公司,arts", "芦汐教育咨询有限公司,"))
        assert [(row.department, row.category, row.status) for row in listed()] == [
            ("culture_sports", "arts", "在办"),
            (None, None, "在办"),
        ]

    def test_a_cell_that_was_broken_into_lines_is_one(self, bring_in: BringIn, listed: Callable[[], list[Institution]]) -> None:
        bring_in(csv("名称,别名", '"蔓汀舞蹈\n培训有限公司","蔓汀\n蔓汀舞蹈"'))
        assert [(row.name, row.aliases) for row in listed()] == [("蔓汀舞蹈培训有限公司", ("蔓汀", "蔓汀舞蹈"))]

    def test_a_title_above_and_other_sheets_are_passed_over(self, bring_in: BringIn) -> None:
        sheets = [[["说明"], ["填表须知"]], [["二〇二六年名录"], [], ["名称", "类别"], ["蔓汀舞蹈", "arts"]]]
        assert bring_in(workbook(sheets=sheets)).added == 1

    def test_unknown_columns_are_named(self, bring_in: BringIn) -> None:
        assert bring_in(csv("名称,法定代表人,电话", "蔓汀舞蹈,冯某,1")).remarks == ["没有导入的列：法定代表人、电话。"]

    def test_aliases_that_are_ordinary_words_are_named(self, bring_in: BringIn) -> None:
        [remark] = bring_in(csv("名称,别名", "阳光艺术培训有限公司,阳光；艺术培训；阳光艺术")).remarks
        assert "“阳光”" in remark
        assert "“艺术培训”" in remark
        assert "“阳光艺术”" not in remark

    @pytest.mark.parametrize(
        ("data", "said"),
        [(csv("单位,类别", "x,arts"), "没有找到“名称”一列"), (csv("名称,类别"), "没有一行机构"), (b"x", "没有找到“名称”一列")],
    )
    def test_a_file_that_is_no_register_is_refused(self, bring_in: BringIn, data: bytes, said: str) -> None:
        with pytest.raises(RegisterUnreadable, match=said):
            bring_in(data)


class TestMistakes:
    def test_each_is_told_by_line_and_column_with_how_to_mend_it(self, bring_in: BringIn) -> None:
        rows = (
            ",蔓汀,arts,,1,,,在办",
            "甲乙学校,丙,跳舞,,2,,,在办",
            "丁戊学校,,arts,区教育局,3,,,在办",
            "己庚学校,,arts,区文化旅游局,4,,,停业",
            "辛壬学校,,subject,,5,,,在办,多的",
        )
        assert mistakes(bring_in, *rows) == [
            "第 2 行，名称：没有名称。请填登记的全称；不要这一行时请删去",
            "第 3 行，简称/别名：别名“丙”只有一个字。一个字无法辨认机构，请去掉",
            "第 3 行，类别：没有“跳舞”这个类别。可以写：subject（学科类）、sports（体育类）、arts（文化艺术类）、tech（科技类）",
            "第 4 行，主管部门：区教育局不是“arts”的主管部门。应为 区文化和旅游局（体育局）；或改类别",
            "第 5 行，状态：没有“停业”这个状态。可以写：在办、停办、注销、吊销",
            "第 5 行，主管部门：没有“区文化旅游局”这个主管部门。是不是“区文化旅游体育局”？",
            "第 6 行：比表头多出 1 格。请检查是否多了逗号；含逗号的文字要加双引号",
        ]

    def test_what_stands_twice_is_told_at_its_second_place(self, bring_in: BringIn) -> None:
        rows = ("甲乙学校,丙丁,,,1,,,", "甲 乙 学 校,,,,2,,,", "戊己学校,丙丁,,,3,,,", "庚辛学校,,,,１,,,", "丙丁,,,,5,,,")
        assert mistakes(bring_in, *rows) == [
            "第 3 行，名称：“甲乙学校”已是第 2 行“甲乙学校”的名称或别名。同一家机构请合并为一行；两家机构请去掉其中一家的这个别名",
            "第 4 行，简称/别名：“丙丁”已是第 2 行“甲乙学校”的名称或别名。同一家机构请合并为一行；两家机构请去掉其中一家的这个别名",
            "第 5 行，办学许可证号：“1”已是第 2 行“甲乙学校”的许可证号。请核对许可证号",
            "第 6 行，名称：“丙丁”已是第 2 行“甲乙学校”的名称或别名。同一家机构请合并为一行；两家机构请去掉其中一家的这个别名",
        ]

    def test_what_the_register_holds_already_is_told(self, bring_in: BringIn) -> None:
        bring_in(csv(HEAD, DANCE, SWIM))
        alias, number = mistakes(bring_in, "新蔓学校,蔓汀,,,新1,,,", "鲸豆湾体育发展有限公司,,,,艺007,,,")
        assert alias.startswith("第 2 行，简称/别名：“蔓汀”已是名录中“蔓汀舞蹈培训有限公司”的名称或别名。")
        assert number == "第 3 行，办学许可证号：“艺007”已是名录中“蔓汀舞蹈培训有限公司”的许可证号。请核对许可证号"

    def test_two_rows_for_one_institution_are_told(self, bring_in: BringIn) -> None:
        bring_in(csv(HEAD, DANCE))
        assert mistakes(bring_in, "蔓汀舞蹈培训有限公司,,,,,,,", "蔓汀新名有限公司,,,,艺007,,,") == [
            "第 3 行，名称：与第 2 行都是名录中的“蔓汀舞蹈培训有限公司”。请核对名称和许可证号，合并为一行"
        ]

    def test_a_column_that_is_nearly_known_is_asked_about(self, bring_in: BringIn) -> None:
        told = ["第 1 行，主管部们：没有这一列。是不是“主管部门”？请改列名；不要这一列时请删去"]
        assert mistakes(bring_in, "甲乙学校,区教育局", head="名称,主管部们") == told
        assert mistakes(bring_in, "甲乙学校,区教育局", head="名称,主管部们", skip_errors=True) == told

    def test_a_column_that_stands_twice_is_told(self, bring_in: BringIn) -> None:
        assert mistakes(bring_in, "甲乙学校,a,b", head="名称,街道,镇街") == ["第 1 行，镇街：这一列与“街道”一列都是街道。请去掉一列"]

    def test_one_is_enough_to_import_nothing(self, bring_in: BringIn, listed: Callable[[], list[Institution]]) -> None:
        mistakes(bring_in, DANCE, "甲乙学校,,跳舞,,,,,")
        assert listed() == []

    def test_rows_with_mistakes_can_be_skipped(self, bring_in: BringIn, listed: Callable[[], list[Institution]]) -> None:
        done = bring_in(csv(HEAD, DANCE, "甲乙学校,,跳舞,,,,,"), skip_errors=True)
        assert (done.added, [fault.line for fault in done.skipped]) == (1, [3])
        assert len(listed()) == 1

    def test_but_not_where_whoever_is_skipped_would_be_taken_out(self, bring_in: BringIn) -> None:
        assert mistakes(bring_in, DANCE, "甲乙学校,,跳舞,,,,,", skip_errors=True, replace=True)


class TestChanging:
    def test_the_same_file_again_changes_nothing(self, bring_in: BringIn) -> None:
        first, again = bring_in(csv(HEAD, DANCE, SWIM)), bring_in(csv(HEAD, DANCE, SWIM))
        assert (again.unchanged, again.written, again.revision) == (2, False, first.revision)

    def test_an_institution_is_known_again_by_name_or_number_and_keeps_its_id(
        self, bring_in: BringIn, listed: Callable[[], list[Institution]]
    ) -> None:
        bring_in(csv(HEAD, DANCE, SWIM))
        before = listed()
        done = bring_in(csv("名称,办学许可证号,状态", "蔓汀舞蹈培训有限公司,艺007,注销", "鲸豆湾新名体育有限公司,体015,在办"))
        assert (done.added, done.changed) == (0, 2)
        assert [row.id for row in listed()] == [row.id for row in before]
        assert [(row.name, row.status) for row in listed()] == [("蔓汀舞蹈培训有限公司", "注销"), ("鲸豆湾新名体育有限公司", "在办")]

    def test_columns_that_the_file_has_not_stay_as_they_were(self, bring_in: BringIn, listed: Callable[[], list[Institution]]) -> None:
        bring_in(csv(HEAD, DANCE))
        bring_in(csv("名称,状态", "蔓汀舞蹈培训有限公司,注销"))
        [row] = listed()
        assert (row.aliases, row.category, row.address, row.status) == (("蔓汀", "蔓汀舞蹈"), "arts", "柳岸里增52号", "注销")

    def test_an_empty_cell_empties(self, bring_in: BringIn, listed: Callable[[], list[Institution]]) -> None:
        bring_in(csv(HEAD, DANCE))
        bring_in(csv("名称,别名,地址", "蔓汀舞蹈培训有限公司,,"))
        [row] = listed()
        assert (row.aliases, row.address) == ((), "")

    def test_replacing_takes_out_what_the_file_does_not_hold(self, bring_in: BringIn, listed: Callable[[], list[Institution]]) -> None:
        bring_in(csv(HEAD, DANCE, SWIM))
        done = bring_in(csv(HEAD, SWIM), replace=True)
        assert (done.removed, done.total) == (1, 1)
        assert [row.name for row in listed()] == ["鲸豆湾体育发展有限公司"]

    def test_what_is_taken_out_gives_its_name_free(self, bring_in: BringIn, listed: Callable[[], list[Institution]]) -> None:
        bring_in(csv(HEAD, DANCE))
        bring_in(csv(HEAD, "新人舞蹈有限公司,蔓汀,arts,,艺099,,,在办"), replace=True)
        assert [row.aliases for row in listed()] == [("蔓汀",)]

    def test_a_name_can_be_handed_over_in_one_file(self, bring_in: BringIn, listed: Callable[[], list[Institution]]) -> None:
        bring_in(csv(HEAD, DANCE, SWIM))
        bring_in(csv("名称,别名", "蔓汀舞蹈培训有限公司,", "鲸豆湾体育发展有限公司,鲸豆湾；蔓汀"))
        assert [row.aliases for row in listed()] == [(), ("鲸豆湾", "蔓汀")]

    def test_a_dry_run_tells_the_same_and_writes_nothing(self, bring_in: BringIn, listed: Callable[[], list[Institution]]) -> None:
        done = bring_in(csv(HEAD, DANCE, SWIM), dry_run=True)
        assert (done.added, done.written, done.total) == (2, False, 2)
        assert listed() == []

    def test_from_a_revision_that_has_passed_is_not_written(self, bring_in: BringIn, sqlite_database: Database, rules: RuleSet) -> None:
        wanted = Wanted(read_file(csv(HEAD, DANCE), rules), ImportQuery(replace=False, dry_run=False, skip_errors=False), "a", "tester")
        with sqlite_database.read() as conn:
            made = prepare(conn, wanted, NOW)
        bring_in(csv(HEAD, SWIM))
        with sqlite_database.write() as conn:
            assert write(conn, wanted, made, NOW) is None

    def test_is_told_in_the_feed(self, bring_in: BringIn, sqlite_database: Database) -> None:
        bring_in(csv(HEAD, DANCE))
        with sqlite_database.read() as conn:
            [event] = store.changes(conn, 0, 10)
        assert (event.kind, event.actor) == ("register.changed", "tester")
        assert '"added":1,"changed":0,"removed":0,"source":"名录.csv"' in event.data


@pytest.fixture(scope="module")
def again(rules: RuleSet) -> Callable[[Institution], list[Any]]:
    """What would be wrong or changed if a row went out and came in again."""

    def again(row: Institution) -> list[Any]:
        drafts = read_file(as_csv([row], rules), rules)
        made = plan(drafts, [row], new_ids(NOW), replace_all=True, source="")
        return [*drafts.faults, *made.faults, *made.change.put, *made.change.removed]

    return again


class TestExport:
    def test_of_the_samples_is_their_file(self, bring_in: BringIn, listed: Callable[[], list[Institution]], rules: RuleSet) -> None:
        data = (SAMPLES / "institutions.csv").read_bytes()
        bring_in(data)
        assert as_csv(listed(), rules).decode("utf-8-sig").splitlines() == data.decode("utf-8-sig").splitlines()

    @pytest.mark.parametrize("cell", ["=1+1", "+8613", "-1", "@SUM(A1)", "＝1", "＠x"])
    def test_no_cell_is_a_formula_and_coming_back_it_is_the_same(self, rules: RuleSet, cell: str) -> None:
        row = Institution(id="1", name=f"{cell}学校", address=cell)
        out = as_csv([row], rules)
        assert f"'{cell}学校".encode() in out
        [draft] = read_file(out, rules).sound
        assert (draft.given["name"], draft.given["address"]) == (f"{cell}学校", cell)

    cells = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40).map(str.strip)

    @given(name=st.text("蔓汀舞蹈=+-@'’", min_size=2, max_size=20), licence=cells, address=cells)
    @settings(max_examples=100, deadline=None)
    def test_any_register_comes_back_as_it_went_out(
        self, again: Callable[[Institution], list[Any]], name: str, licence: str, address: str
    ) -> None:
        assert again(Institution(id="1", name=name, licence=licence, address=address, status="在办")) == []
