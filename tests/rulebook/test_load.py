"""A sound pack becomes a rule set: whole, frozen, the same in whatever order its files come."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from models.ruleset import Strength
from service.rulebook import PackError, check, digest, find_pack, load, read_folder
from tests.packs.build import edited, tiny


class TestSoundPack:
    def test_has_nothing_to_say(self) -> None:
        assert check(tiny()) == []

    def test_becomes_one_rule_set_of_all_files(self) -> None:
        ruleset = load(tiny(), version=7)
        assert (ruleset.pack, ruleset.version, ruleset.digest) == ("tiny", 7, digest(tiny()))
        assert [rule.id for rule in ruleset.rules] == sorted(rule.id for rule in ruleset.rules)
        assert {rule.supports for rule in ruleset.rules} >= {"category:ball", "scope:in", "issue:refund", "signal:child"}
        assert ruleset.department("gym_office").aliases == ("球场办",)
        assert ruleset.clauses["order-2"].quote == "球类培训由球场办主管。"
        assert ruleset.lists == {"taught": ("班", "课", "培训")}
        assert ruleset.aliases == {"兰球": "篮球"}
        assert ruleset.words == ("校外培训", "云溪区")
        assert ruleset.clocks is not None
        assert ruleset.clocks.extension.max_working_days == 4
        assert [year.year for year in ruleset.calendar] == list(range(2026, 2037))
        assert list(ruleset.cases) == ["categories/ball.test.yaml", "categories/stage.test.yaml", "scope.test.yaml"]

    def test_does_not_change_afterwards(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            load(tiny()).version = 8  # type: ignore[misc]

    def test_keeps_the_numbers_as_numbers_and_the_texts_as_texts(self) -> None:
        ruleset = load(tiny())
        assert ruleset.ruleset.points[Strength.STRONG] == 12
        assert ruleset.documents["order"].date == "2024-05-07"

    def test_shipped_pack_has_no_error(self) -> None:
        assert [str(mistake) for mistake in check(read_folder(find_pack("beichen"))) if mistake.severity == "error"] == []


class TestTextsStayTexts:
    @pytest.mark.parametrize("word", ["no", "yes", "on", "12:30", "2024-05-07", "1_000", "0x1F", "1e3", ".inf", "true"])
    def test_whatever_yaml_would_make_of_them(self, word: str) -> None:
        files = edited("aliases.yaml", "兰球: 篮球", f"{word}: 篮球")
        assert load(files).aliases == {word: "篮球"}


class TestOrderOfFiles:
    def test_makes_no_difference(self) -> None:
        backwards = dict(reversed(tiny().items()))
        assert list(backwards) != list(tiny())
        assert load(backwards) == load(tiny())


class TestDigest:
    @pytest.mark.parametrize(
        "same",
        [
            lambda text: text.replace("\n", "\r\n"),
            lambda text: text.replace("\n", "  \n"),
            lambda text: "\ufeff" + text,
            lambda text: text + "\n\n",
        ],
        ids=["line ends", "trailing blanks", "byte order mark", "empty lines at the end"],
    )
    def test_does_not_see_what_makes_no_difference(self, same: Callable[[str], str]) -> None:
        files = {name: same(text) for name, text in tiny().items()}
        assert digest(files) == digest(tiny())
        assert load(files) == load(tiny())

    def test_does_not_see_files_that_are_not_read(self) -> None:
        assert digest(tiny() | {"notes.yaml": "a: 1"}) == digest(tiny())

    def test_sees_every_other_change(self) -> None:
        assert digest(edited("words.txt", "云溪区 100", "云溪区 101")) != digest(tiny())
        assert digest({name: text for name, text in tiny().items() if name != "words.txt"}) != digest(tiny())

    def test_does_not_take_a_name_for_a_text(self) -> None:
        assert digest({"scope.yaml": "a", "words.txt": "b"}) != digest({"scope.yaml": "awords.txt", "words.txt": ""})

    def test_is_known_for_broken_packs_too(self) -> None:
        assert len(digest({"scope.yaml": "\ud800: ["})) == 64


class TestManyMistakes:
    def test_are_told_at_once_in_the_order_of_reading(self) -> None:
        files = tiny() | {"aliases.yaml": "- x\n", "issues.yaml": "rules: [\n", "scope.yaml": "rules：[]\n"}
        del files["clauses.yaml"]
        said = [(mistake.file, mistake.code) for mistake in check(files) if mistake.severity == "error"]
        assert said == [
            ("aliases.yaml", "not_map"),
            ("clauses.yaml", "missing_file"),
            ("issues.yaml", "no_value"),
            ("scope.yaml", "wide_colon"),
        ]

    def test_files_that_cannot_be_read_leave_no_false_alarm_behind(self) -> None:
        for name in (
            "clauses.yaml",
            "departments.yaml",
            "issues.yaml",
            "scope.yaml",
            "signals.yaml",
            "categories/ball.yaml",
            "ruleset.yaml",
        ):
            said = [str(mistake) for mistake in check(tiny() | {name: "\t[: {"}) if mistake.file != name]
            assert said == []

    def test_make_an_error_that_carries_them(self) -> None:
        with pytest.raises(PackError) as refused:
            load(edited("ruleset.yaml", "max_assists: 2", "max_assists: 两家\nmax_asists: 2"))
        assert [(mistake.line, mistake.column, mistake.field) for mistake in refused.value.mistakes] == [
            (6, 14, "max_assists"),
            (7, 1, "max_asists"),
        ]


class TestBounds:
    def test_lists_that_multiply_beyond_the_bound_are_refused_before_they_are_written_out(self) -> None:
        words = ", ".join(f"词{number}" for number in range(1500))
        files = edited("scope.yaml", "taught: [班, 课, 培训]", f"taught: [班, 课, 培训, {words}]")
        files["categories/ball.yaml"] = files["categories/ball.yaml"].replace('"学{ball}"', '"{taught}{taught}"')
        mistakes = [mistake for mistake in check(files) if mistake.severity == "error"]
        assert [(mistake.code, mistake.rule) for mistake in mistakes] == [("too_many_terms", "ball.taught")]

    def test_a_file_of_more_than_a_megabyte_is_refused(self) -> None:
        said = [str(mistake) for mistake in check(tiny() | {"aliases.yaml": "#" * 1_000_001})]
        assert said == ["aliases.yaml:1:1: 错误：文件太大，超过 1 MB。请分成几个文件。"]

    def test_too_many_files_are_refused(self) -> None:
        files = tiny() | {f"categories/c{number}.yaml": "rules: []" for number in range(200)}
        assert [mistake.code for mistake in check(files) if mistake.severity == "error"] == ["too_many_files"]
