"""The cases beside the rules: run through the real engine, their failures said in Chinese, their reach counted honestly."""

from xml.etree import ElementTree as ET

import pytest

from service import ruletest
from service.engine import Engine
from service.rulebook import PackError, load
from tests.packs.build import edited, tiny


def tried(files: dict[str, str]) -> ruletest.Report:
    return ruletest.run(Engine(load(files)), files)


def case(line: str, text: str = "云溪区某篮球班不给退费，孩子没法上课。") -> dict[str, str]:
    """The tiny pack with one case only."""
    files = {name: text for name, text in tiny().items() if not name.endswith(".test.yaml")}
    return files | {"scope.test.yaml": f"cases:\n  - text: {text}\n    {line}\n"}


@pytest.fixture(scope="module")
def sound() -> ruletest.Report:
    return tried(tiny())


class TestSoundPack:
    def test_passes(self, sound: ruletest.Report) -> None:
        assert sound.passed
        assert len(sound.results) == 6

    def test_says_how_far_its_cases_reach(self, sound: ruletest.Report) -> None:
        assert ruletest.text(sound).endswith("。\n用例触及：规则 7/10（70.0%），词语 10/19（52.6%）。")

    def test_names_what_no_case_reaches(self, sound: ruletest.Report) -> None:
        said = ruletest.text(sound, uncovered=True)
        assert "    ball.programs：足球\n" in said
        assert "    letters.programs：没有用例命中这条规则（3 个词语）\n" in said

    def test_counts_a_term_with_lists_as_one(self, sound: ruletest.Report) -> None:
        (training,) = [rule for rule in sound.coverage.rules if rule.rule == "scope.training"]
        assert (training.terms, training.unreached) == (2, ())

    def test_counts_near_misses(self, sound: ruletest.Report) -> None:
        assert {rule.rule: rule.near_misses for rule in sound.coverage.rules if rule.near_misses} == {"stage.programs": 1}


class TestTable:
    def table(self, each: str) -> ruletest.Report:
        return tried(case(f"each: [{each}]\n    hits: [ball.programs]", text="云溪区某{}班不给退费，孩子没法上课。"))

    def test_is_a_case_for_every_word(self) -> None:
        report = self.table("篮球, 足球")
        assert report.passed
        assert [result.sample.case.text[4:6] for result in report.results] == ["篮球", "足球"]

    def test_fails_for_the_word_that_is_not_met(self) -> None:
        (failed,) = self.table("篮球, 舞蹈").failed
        assert "舞蹈" in failed.sample.case.text

    def test_words_without_a_place_are_refused(self) -> None:
        with pytest.raises(PackError, match="each 里的词语逐个放到 text 的"):
            tried(case("each: [足球]\n    hits: [ball.programs]"))


class TestFailure:
    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("decision: return", "研判结果 decision：期望 return，得到 dispatch"),
            ("reason_code: out_adult", "理由代码 reason_code：期望 out_adult，得到 clear"),
            ("lead: stage_office", "主办 lead：期望 stage_office（云溪区舞台办），得到 gym_office（云溪区球场办）"),
            ("category: stage", "类别 category：期望 stage（舞台类），得到 ball（球类）"),
            ("categories: [stage, ball]", "各类别 categories：期望 stage（舞台类）、ball（球类），得到 ball（球类）；少了 stage"),
            ("issues: []", "问题类型 issues：期望 无，得到 refund（退费）"),
            ("assists: [gym_office]", "协办 assists：期望 gym_office（云溪区球场办），得到 money_office（云溪区账目办）"),
            ("urgency: emergency", "紧急程度 urgency：期望 emergency，得到 normal"),
            ("hits: [stage.programs]", "应命中 stage.programs，没有命中：文字里没有它的任何词语"),
            ("not: [issue.refund]", "不应命中 issue.refund，却命中了：因为文字里有「退费」"),
        ],
    )
    def test_says_what_was_expected_and_what_came(self, line: str, said: str) -> None:
        report = tried(case(line))
        assert not report.passed
        assert f"    {said}\n" in ruletest.text(report)

    def test_shows_place_text_reason_evidence_and_why(self) -> None:
        said = ruletest.text(tried(case("decision: return\n    why: 试一试"))).split("\n")
        assert said[0] == "未通过 scope.test.yaml:2：云溪区某篮球班不给退费，孩子没法上课。"
        assert said[2].startswith("    研判：")
        assert "    依据：ball.programs「篮球」7 分（category:ball）" in said
        assert "    用例说明：试一试" in said
        assert said[-2].startswith("用例 1 个，未通过 1 个，用时 ")

    def test_without_the_files_is_named_by_its_number(self) -> None:
        report = ruletest.run(Engine(load(case("decision: return"))))
        assert ruletest.text(report).startswith("未通过 scope.test.yaml 第 1 个用例：")


BORDER = "词语的两端不在分词的边界上；可把来话里的完整说法写进 terms，或设 loose: true"


class TestWhyARuleDidNotFire:
    @pytest.mark.parametrize(
        ("rule", "text", "why"),
        [
            ("stage.programs", "广场舞蹈扰民", "文字里有「舞蹈」，但被 unless 里的「广场舞蹈」取消"),
            ("stage.trained", "形体不好", "文字里有「形体」，但附近没有 near 里的词语"),
            ("ball.taught", "大人在学篮球", "文字里有「学篮球」，但 needs 里的规则或信号都没有命中"),
            ("stage.programs", "没教舞蹈", "文字里有「舞蹈」，但前面或后面有否定词"),
            ("stage.programs", "民族舞蹈班", f"文字里有「舞蹈」，但{BORDER}（分词：民族 舞蹈班）"),
            ("stage.trained", "没教形体", "文字里有「形体」，但同时不满足几项条件（unless、near、needs、in、词的边界等）"),
        ],
    )
    def test_is_explained(self, rule: str, text: str, why: str) -> None:
        (result,) = tried(case(f"hits: [{rule}]", text)).results
        assert [fault.why.replace("/", " ") for fault in result.faults] == [why]

    def test_in_the_wrong_place(self) -> None:
        files = case("hits: [stage.trained]", "孩子上形体课")
        files["categories/stage.yaml"] = files["categories/stage.yaml"].replace("    near: {words: [课, 班], within: 6}", "    in: [title]")
        (result,) = tried(files).results
        assert [fault.why for fault in result.faults] == ["文字里有「形体」，但词语不在 in 所写的位置"]

    def test_blocked(self) -> None:
        files = case("hits: [stage.trained]", "孩子上形体课")
        files["categories/stage.yaml"] = files["categories/stage.yaml"].replace(
            "    near: {words: [课, 班], within: 6}", "    blocked_by: [signal:child]"
        )
        (result,) = tried(files).results
        assert [fault.why for fault in result.faults] == ["文字里有「形体」，但被 blocked_by 里的规则挡住"]

    def test_switched_off(self) -> None:
        files = case("hits: [stage.trained]", "孩子上形体课")
        files["categories/stage.yaml"] = files["categories/stage.yaml"].replace("strength: weak", "status: retired")
        (result,) = tried(files).results
        assert [fault.why for fault in result.faults] == ["这条规则没有启用"]


class TestCases:
    def test_may_name_rules_on_texts_that_do_not_open_the_gate(self) -> None:
        assert tried(case("hits: [stage.programs]", "公园里的舞蹈")).passed
        assert not tried(case("not: [stage.programs]", "公园里的舞蹈")).passed

    def test_read_title_institution_and_the_hotlines_word(self) -> None:
        assert tried(case("title: 篮球班\n    institution: 云溪舞蹈班\n    hits: [ball.programs, stage.taught]", "不给退费")).passed
        assert tried(case("asserted_scope: true\n    decision: escalate", "不给退费")).passed

    def test_may_be_none_at_all(self) -> None:
        report = tried({name: text for name, text in tiny().items() if not name.endswith(".test.yaml")})
        assert report.passed
        assert ruletest.text(report).startswith("用例 0 个，全部通过")


class TestPercent:
    @pytest.mark.parametrize(
        ("part", "whole", "said"),
        [(2499, 2500, "99.9%"), (9999, 10000, "99.9%"), (3, 3, "100.0%"), (0, 7, "0.0%"), (2, 3, "66.6%"), (1, 3000, "0.0%"), (0, 0, "—")],
    )
    def test_is_never_rounded_up(self, part: int, whole: int, said: str) -> None:
        assert ruletest.percent(part, whole) == said


class TestJunit:
    def test_has_a_suite_for_each_file_and_a_failure_with_its_reason(self) -> None:
        files = edited("scope.test.yaml", "decision: return", "decision: dispatch")
        root = ET.fromstring(ruletest.junit(tried(files)))  # noqa: S314 - our own output
        assert (root.get("tests"), root.get("failures")) == ("6", "1")
        assert [suite.get("name") for suite in root] == ["categories/ball.test.yaml", "categories/stage.test.yaml", "scope.test.yaml"]
        (failure,) = root.iter("failure")
        assert failure.get("message") == "研判结果 decision：期望 dispatch，得到 return"
        assert str(failure.text).startswith("未通过 scope.test.yaml:2：小区停水三天了。")

    def test_stays_xml_whatever_a_text_holds(self) -> None:
        files = case("decision: dispatch", r'"a\x01\uFFFE ]]> <&> \e"')
        root = ET.fromstring(ruletest.junit(tried(files)))  # noqa: S314 - our own output
        assert root.get("failures") == "1"


class TestJson:
    def test_tells_all(self) -> None:
        found = ruletest.as_json(tried(case("lead: stage_office")))
        assert (found["pack"], found["passed"], found["cases"]) == ("tiny", False, 1)
        (failed,) = found["failed"]
        assert (failed["file"], failed["number"], failed["line"]) == ("scope.test.yaml", 1, 2)
        assert failed["faults"][0]["expected"] == ["stage_office"]
        assert found["coverage"]["rules"] == {"reached": 4, "of": 10, "percent": "40.0%"}
