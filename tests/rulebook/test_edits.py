"""Edits: the text of a pack changed at one place; comments, order and line ends stay, and the file says what it said and the change."""

import pytest

from service.rulebook import find_pack, load, read_folder
from service.rulebook.edits import CannotEdit, Edit, add_case, apply
from tests.packs.build import edited, tiny


def changed_lines(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The lines that are new or different."""
    return [line for name in after for line in after[name].split("\n") if line not in before[name].split("\n")]


class TestWords:
    @pytest.mark.parametrize(
        ("edit", "line"),
        [
            (Edit("terms", "ball.programs", "排球"), "    terms: [篮球, 足球, 网球, 排球]"),
            (Edit("terms", "ball.taught", "练球"), '    terms: ["学{ball}", 练球]'),
            (Edit("terms", "ball.taught", "练{ball}"), '    terms: ["学{ball}", "练{ball}"]'),
            (Edit("unless", "stage.programs", "舞蹈队"), "    unless: [广场舞蹈, 舞蹈队]"),
            (Edit("unless", "stage.trained", "形体美"), "    unless: [形体美]"),
            (Edit("near", "stage.trained", "社"), "    near: {words: [课, 班, 社], within: 6}"),
            (Edit("list", "taught", "社"), "  taught: [班, 课, 培训, 社]"),
        ],
    )
    def test_a_word_is_added_where_it_belongs(self, edit: Edit, line: str) -> None:
        after = apply(tiny(), edit)
        assert changed_lines(tiny(), after) == [line]
        load(after)

    def test_in_a_list_with_a_line_for_each_word(self) -> None:
        files = edited("categories/ball.yaml", "terms: [篮球, 足球, 网球]", "terms:\n      - 篮球  # 最多\n      - 足球")
        assert "      - 足球\n      - 排球\n" in apply(files, Edit("terms", "ball.programs", "排球"))["categories/ball.yaml"]

    def test_a_long_line_is_broken(self) -> None:
        long = ", ".join(f"球类项目第{number}种" for number in range(12))
        files = edited("categories/ball.yaml", "terms: [篮球, 足球, 网球]", f"terms: [{long}]")
        after = apply(files, Edit("terms", "ball.programs", "排球"))["categories/ball.yaml"]
        assert max(map(len, after.split("\n"))) < len(long) + 20
        assert "\n      排球]" in after

    def test_quotes_comments_and_line_ends_stay(self) -> None:
        files = edited("categories/ball.yaml", "terms: [篮球, 足球, 网球]", "terms: ['篮球', \"足 球\"]  # 见通知")
        files["categories/ball.yaml"] = "\ufeff" + files["categories/ball.yaml"].replace("\n", "\r\n")
        after = apply(files, Edit("terms", "ball.programs", "排球"))["categories/ball.yaml"]
        assert "terms: ['篮球', \"足 球\", 排球]  # 见通知\r\n" in after
        assert after.startswith("\ufeff#")


class TestValues:
    def test_a_strength_is_changed_or_written(self) -> None:
        assert changed_lines(tiny(), apply(tiny(), Edit("strength", "stage.trained", "medium"))) == ["    strength: medium"]
        assert changed_lines(tiny(), apply(tiny(), Edit("strength", "ball.programs", "weak"))) == ["    strength: weak"]

    def test_a_frame_is_widened(self) -> None:
        assert changed_lines(tiny(), apply(tiny(), Edit("within", "stage.trained", "9"))) == [
            "    near: {words: [课, 班], within: 9}",
        ]

    def test_a_rule_in_braces_is_edited_inside_them(self) -> None:
        rule = "  - {id: ball.flat, name: 平, category: ball, terms: [平球]}\n"
        files = tiny()
        files["categories/ball.yaml"] += rule
        after = apply(files, Edit("unless", "ball.flat", "平球衣"))
        assert "- {unless: [平球衣], id: ball.flat" in after["categories/ball.yaml"]


class TestCases:
    def test_a_case_goes_to_the_end_of_its_file(self) -> None:
        after = add_case(tiny(), "categories/ball.test.yaml", "{text: 排球班, lead: gym_office}")
        assert after["categories/ball.test.yaml"].endswith("  - {text: 排球班, lead: gym_office}\n")
        load(after)

    def test_a_file_of_cases_is_begun(self) -> None:
        after = add_case(tiny(), "categories/letters.test.yaml", "{text: 作文班, lead: study_office}")
        assert after["categories/letters.test.yaml"] == "cases:\n  - {text: 作文班, lead: study_office}\n"


def test_what_is_not_there_cannot_be_edited() -> None:
    with pytest.raises(CannotEdit):
        apply(tiny(), Edit("terms", "ball.nosuch", "排球"))
    with pytest.raises(CannotEdit):
        apply(tiny(), Edit("near", "ball.programs", "课"))


def test_every_rule_of_the_shipped_pack_can_be_edited() -> None:
    files = read_folder(find_pack("beichen"))
    for rule in load(files).rules[::9]:
        for edit in (Edit("terms", rule.id, "某新词"), Edit("unless", rule.id, "某新词"), Edit("strength", rule.id, "weak")):
            assert apply(files, edit) != files or edit.value == rule.strength
