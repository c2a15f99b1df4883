"""Whatever is done to the text of a pack: nothing crashes, and what loads is sound."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.engine import Engine
from service.rulebook import PackError, check, find_pack, load, read_folder
from service.rulebook.mistakes import Mistake
from tests.packs.build import tiny

SCRAPS = [
    *"{}[]:,#-&*!|>'\"%@`?\\\t\n \u3000：，、“”\u200b\x00\ud800\ufeff",
    "- ",
    ": ",
    "---",
    "<<: ",
    "{program}",
    "rules:",
    "terms: []",
    "null",
    "~",
    "9" * 400,
    "[" * 30,
]
TINY = tiny()


@st.composite
def mutilated(draw: st.DrawFn) -> dict[str, str]:
    """The tiny pack with a few passages cut out, doubled, or overwritten by scraps."""
    files = dict(TINY)
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from(sorted(files)))
        text = files[name]
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        middle = draw(st.sampled_from(["", text[start:end] * 2, *SCRAPS]) | st.text(max_size=8))
        files[name] = text[:start] + middle + text[end:]
    return files


@st.composite
def shipped_mutilated(draw: st.DrawFn) -> dict[str, str]:
    """The shipped pack with one passage cut out, doubled, or overwritten."""
    files = read_folder(find_pack("beichen"))
    name = draw(st.sampled_from(sorted(files)))
    text = files[name]
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 60)))
    middle = draw(st.sampled_from(["", text[start:end] * 2, *SCRAPS]))
    return files | {name: text[:start] + middle + text[end:]}


@given(shipped_mutilated())
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
def test_mutilated_shipped_pack_is_told_or_sound(files: dict[str, str]) -> None:
    mistakes = check(files)
    for mistake in mistakes:
        assert_stands_in(files, mistake)
    if any(mistake.severity == "error" for mistake in mistakes):
        with pytest.raises(PackError):
            load(files)
    else:
        assert load(files).pack == "beichen"


@given(mutilated())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_mutilated_pack_is_told_or_sound(files: dict[str, str]) -> None:
    mistakes = check(files)
    for mistake in mistakes:
        assert_stands_in(files, mistake)
    if any(mistake.severity == "error" for mistake in mistakes):
        with pytest.raises(PackError):
            load(files)
    else:
        Engine(load(files))


@given(
    st.dictionaries(
        st.sampled_from([*sorted(TINY), "x.yaml", "categories/x.yaml"]), st.text(max_size=60) | st.sampled_from(SCRAPS), max_size=4
    )
)
@settings(max_examples=60, deadline=None)
def test_any_text_at_all_is_told(files: dict[str, str]) -> None:
    assert check(files)
    with pytest.raises(PackError):
        load(files)


@given(st.data())
@settings(max_examples=8, deadline=None)
def test_shipped_pack_with_lines_lost_is_told_or_sound(data: st.DataObject) -> None:
    """Lines are what people lose: a line of the shipped pack gone or doubled."""
    shipped = read_folder(find_pack("beichen"))
    name = data.draw(st.sampled_from(sorted(shipped)))
    lines = shipped[name].split("\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at : at + 1] = [lines[at]] * data.draw(st.sampled_from([0, 2]))
    files = shipped | {name: "\n".join(lines)}
    for mistake in check(files):
        assert_stands_in(files, mistake)


def assert_stands_in(files: dict[str, str], mistake: Mistake) -> None:
    """The place of a mistake exists in its file, and no English of a library is left in its words."""
    lines = re.split(r"\r\n|\r|\n", files.get(mistake.file, ""))
    assert 1 <= mistake.line <= len(lines)
    assert 1 <= mistake.column <= len(lines[mistake.line - 1]) + 1
    assert mistake.message
    assert re.search(r"[\u4e00-\u9fff]", mistake.message)
    assert "Input should" not in mistake.message
