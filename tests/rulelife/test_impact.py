"""Impact: what a draft would do to past cases, told before it does; a case that officers confirmed does not go wrong unnoticed."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from models.complaint import Complaint
from service import db, rulebook
from service.engine import Engine
from service.impact import SHOWN, look, of_lines, run
from service.impact.touched import touched
from service.rulelife import replay_stored
from tests.packs.build import edited, tiny
from tests.rulelife.conftest import BADMINTON, Fenpai, complete, edit, move

SIGNED = {"author": "王科长", "note": "收羽毛球"}
BY = ("--author", "王科长", "--note", "收羽毛球")
TEXTS = ["孩子的羽毛球班不退费。电话13912345678。", "孩子的足球班不退费。", "孩子的篮球班不退费。", "路灯坏了。"]
"""Comes in, goes out, stays, has nothing to do with it."""


@pytest.fixture
def past(house: TestClient) -> list[str]:
    """The ids of four cases that came in."""
    return [received(house, number, text) for number, text in enumerate(TEXTS)]


def received(house: TestClient, number: int, text: str) -> str:
    answer = house.post("/v1/cases", json={"source_system": "hotline", "source_order_no": str(number), "content": text})
    return str(answer.json()["id"])


@pytest.fixture
def confirm(house: TestClient) -> Callable[[str], None]:
    """A department brings a case to its end: that it is theirs is confirmed."""
    return lambda case_id: complete(house, case_id)


class TestImpact:
    def test_tells_who_goes_where_and_why(self, house: TestClient, past: list[str]) -> None:
        told = house.post("/v1/rulesets/impact", json={"files": edited(*BADMINTON)}).json()
        assert (told["cases"], told["flipped"]) == (4, 2)
        assert {(move["before"], move["after"]) for move in told["moves"]} == {("return", "gym_office"), ("gym_office", "return")}
        flip = next(flip for flip in told["flips"] if flip["id"] == past[0])
        assert "ball.programs「羽毛球」" in flip["gained"]
        assert (flip["before"]["decision"], flip["after"]["lead"]) == ("return", "gym_office")
        assert flip["before"]["reason"] != flip["after"]["reason"]
        assert "13912345678" not in flip["text"]

    def test_changes_nothing(self, house: TestClient, past: list[str]) -> None:
        before = house.get(f"/v1/cases/{past[0]}").json()
        house.post("/v1/rulesets/impact", json={"files": edited(*BADMINTON)})
        assert house.get(f"/v1/cases/{past[0]}").json() == before
        assert len(house.get("/v1/rulesets").json()["versions"]) == 1

    def test_of_a_broken_draft_is_refused(self, house: TestClient) -> None:
        assert house.post("/v1/rulesets/impact", json={"files": {"words.txt": ""}}).json()["code"] == "draft_broken"

    def test_on_the_command_line_reads_as_sentences(self, fenpai: Fenpai, pack: Path, past: list[str]) -> None:
        edit(pack, *BADMINTON)
        ended = fenpai("rules", "impact")
        assert ended.code == 0
        assert "重放 4 件：2 件去向改变" in ended.out
        assert "退回热线 → 云溪区球场办  1 件" in ended.out
        assert f"{past[0]}  退回热线 → 云溪区球场办" in ended.out


class TestConfirmedCases:
    def test_that_would_break_stop_the_publishing(self, house: TestClient, past: list[str], confirm: Callable[[str], None]) -> None:
        confirm(past[1])
        told = house.post("/v1/rulesets/impact", json={"files": edited(*BADMINTON)}).json()["confirmed"]
        assert (told["cases"], told["breaks"], told["broken"]) == (1, 1, [past[1]])
        assert (told["before"]["precision"], told["after"]["precision"]) == (1.0, None)
        refusal = house.post("/v1/rulesets", json={"files": edited(*BADMINTON), **SIGNED})
        assert (refusal.status_code, refusal.json()["code"], refusal.json()["broken"]) == (422, "confirmed_break", [past[1]])

    def test_may_break_with_a_reason_that_is_kept(self, house: TestClient, past: list[str], confirm: Callable[[str], None]) -> None:
        confirm(past[1])
        answer = house.post("/v1/rulesets", json={"files": edited(*BADMINTON), **SIGNED, "overrule": "足球改由体校管"})
        assert answer.status_code == 201
        assert past[1] in answer.json()["overruled"]

    def test_stop_the_command_line_too(self, fenpai: Fenpai, pack: Path, past: list[str], confirm: Callable[[str], None]) -> None:
        confirm(past[1])
        edit(pack, *BADMINTON)
        assert fenpai("rules", "impact").code == 1
        ended = fenpai("rules", "publish", *BY)
        assert (ended.code, past[1] in ended.out) == (1, True)

    def test_that_stay_right_stop_nothing(self, house: TestClient, past: list[str], confirm: Callable[[str], None]) -> None:
        confirm(past[2])
        assert house.post("/v1/rulesets", json={"files": edited(*BADMINTON), **SIGNED}).status_code == 201


class TestFile:
    def test_with_labels_gives_precision_before_and_after(self, fenpai: Fenpai, pack: Path, tmp_path: Path) -> None:
        rows: list[dict[str, Any]] = [
            {"id": "a", "text": TEXTS[0], "decision": "dispatch", "lead": "gym_office"},
            {"id": "b", "text": TEXTS[1], "decision": "dispatch", "lead": "gym_office"},
            {"id": "c", "text": TEXTS[2], "decision": "dispatch", "lead": "gym_office"},
            {"id": "d", "text": TEXTS[3]},
        ]
        path = tmp_path / "past.jsonl"
        path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows) + b"nonsense\n")
        edit(pack, *BADMINTON)
        told = fenpai("rules", "impact", "--cases", str(path), "--json").answer
        assert (told["cases"], told["unreadable"]) == (4, 1)
        confirmed = told["confirmed"]
        assert (confirmed["cases"], confirmed["mends"], confirmed["breaks"], confirmed["broken"]) == (3, 1, 1, ["b"])
        assert confirmed["before"]["low"] == pytest.approx(0.158, abs=0.001)

    def test_is_the_same_on_one_core_and_on_many(self, tmp_path: Path) -> None:
        path = tmp_path / "many.jsonl"
        path.write_bytes(b"".join(orjson.dumps({"id": n, "text": TEXTS[n % 4] * (n % 7 + 1)}) + b"\n" for n in range(12_000)))
        pair = Engine(rulebook.load(tiny())), Engine(rulebook.load(edited(*BADMINTON)))
        found = []
        for processes, fork in ((1, True), (2, True), (2, False)):
            with path.open("rb") as lines:
                found.append(run(of_lines(lines), pair, fork=fork, processes=processes))
        alone, together, helped = found
        assert alone == together == helped
        assert (alone.cases, len(alone.flips)) == (12_000, SHOWN)


EDITS = [
    ("categories/ball.yaml", "unless: [水果篮球状]", "unless: [水果篮球状, 篮球班]"),
    ("scope.yaml", "terms: [校外培训, ", "terms: [校外培训, 学网球, "),
    ("issues.yaml", "terms: [退费, 退款]", "terms: [退款]"),
    BADMINTON,
]


class TestShortCut:
    @pytest.mark.parametrize("change", EDITS)
    def test_passes_over_no_text_that_is_judged_otherwise(self, change: tuple[str, str, str]) -> None:
        files = tiny()
        files[change[0]] = files[change[0]].replace(change[1], change[2])
        pair = Engine(rulebook.load(tiny())), Engine(rulebook.load(files))
        words = [
            "孩子的",
            "篮球",
            "篮球赛",
            "羽毛球",
            "班",
            "不退费",
            "退款",
            "足球",
            "学网球",
            "乒乓球",
            "小朋友",
            "篮球班",
            "培训",
            "，",
            "。",
        ]
        chance = random.Random(7)  # noqa: S311 (texts, no secrets)
        texts = ["".join(chance.choices(words, k=6)) for _ in range(1_500)]
        rows = [orjson.dumps({"id": n, "text": text, "lead": "gym_office"}) for n, text in enumerate(texts)]
        found = look(pair, ("lines", rows))
        decisions = [[engine.triage(Complaint(content=text)) for engine in pair] for text in texts]
        assert found.assists_changed == sum(old.assists != new.assists for old, new in decisions)
        assert found.flipped == sum((old.decision, old.lead) != (new.decision, new.lead) for old, new in decisions)
        assert found.after.dispatched == sum(new.decision.value == "dispatch" for _, new in decisions)
        assert found.flipped or found.issues_lost
        gained = Counter(code for old, new in decisions for code in new.issues if code not in old.issues)
        assert found.issues_gained == gained

    def test_is_taken_only_where_nothing_but_words_changed(self) -> None:
        first = Engine(rulebook.load(tiny()))
        taken = [touched(first, Engine(rulebook.load(edited(*change)))) is not None for change in (EDITS[0], EDITS[1], BADMINTON)]
        assert taken == [True, True, False]  # names of programs move the borders of words


class TestStored:
    def test_cases_are_read_in_stretches_each_once(self, house: TestClient, database_url: str) -> None:
        for number in range(1_030):
            received(house, number, TEXTS[number % 4])
        database = db.connect(database_url)
        pair = Engine(rulebook.load(tiny())), Engine(rulebook.load(edited(*BADMINTON)))
        found = replay_stored(database, pair, fork=False)
        database.close()
        assert (found.cases, found.flipped) == (1_030, 516)


class TestConfirmedReturns:
    def test_that_the_hotline_archived_count_as_right(self, house: TestClient, past: list[str]) -> None:
        move(house, past[0], "archive", "hotline")  # returned, and the hotline is content with that
        told = house.post("/v1/rulesets/impact", json={"files": edited(*BADMINTON)}).json()["confirmed"]
        assert (told["cases"], told["breaks"], told["broken"]) == (1, 1, [past[0]])

    def test_that_a_department_handed_back_rightly_count_as_wrong(self, house: TestClient, past: list[str]) -> None:
        said = {"reason_code": "out_of_scope", "text": "是成年人", "clause": "order-1"}
        move(house, past[1], "hand-back", "gym_office", **said)
        none = house.post("/v1/rulesets/impact", json={"files": edited(*BADMINTON)}).json()["confirmed"]
        move(house, past[1], "uphold", "hotline")
        told = house.post("/v1/rulesets/impact", json={"files": edited(*BADMINTON)}).json()["confirmed"]
        assert (none["cases"], told["cases"], told["mends"], told["before"]["right"]) == (0, 1, 1, 0)
