"""Publishing: only what passes, by somebody who says why, at once in force; and taken back by one call."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service import rulebook, rulelife
from tests.packs.build import edited, tiny
from tests.rulelife.conftest import BADMINTON, Fenpai, edit

SIGNED = {"author": "王科长", "note": "收羽毛球"}
BY = ("--author", "王科长", "--note", "收羽毛球")
FAILING = ("categories/ball.test.yaml", "cases:\n", "cases:\n  - {text: 孩子的篮球班不退费。, lead: stage_office}\n")


def published(house: TestClient, **more: Any) -> Any:
    return house.post("/v1/rulesets", json={"files": edited(*BADMINTON), **SIGNED, **more})


def lead(house: TestClient, text: str) -> Any:
    return house.post("/v1/triage", json={"content": text}).json()["lead"]


def events(house: TestClient, kind: str) -> list[dict[str, Any]]:
    return [change["data"] for change in house.get("/v1/changes").json()["changes"] if change["kind"] == kind]


class TestPublish:
    def test_is_in_force_as_it_is_answered(self, house: TestClient) -> None:
        assert lead(house, "孩子的羽毛球班不退费。") is None
        answer = published(house)
        assert (answer.status_code, answer.json()["version"], answer.json()["parent"]) == (201, 2, 1)
        assert lead(house, "孩子的羽毛球班不退费。") == "gym_office"
        assert house.get("/readyz").json()["ruleset"]["digest"] == answer.json()["digest"] == rulebook.digest(edited(*BADMINTON))

    def test_is_told_in_the_audit_chain(self, house: TestClient) -> None:
        published(house)
        told = events(house, "rules.published")[-1]
        assert (told["version"], told["parent"], told["note"], told["overruled"]) == (2, 1, "收羽毛球", None)
        assert [(told["before"], told["version"]) for told in events(house, "rules.activated")] == [(None, 1), (1, 2)]

    @pytest.mark.parametrize("missing", ["author", "note"])
    def test_needs_a_name_and_a_reason(self, house: TestClient, missing: str) -> None:
        refusal = published(house, **{missing: "  "})
        assert (refusal.status_code, refusal.json()["code"]) == (422, "author_missing")
        assert refusal.json()["errors"][0]["pointer"] == f"/{missing}"

    def test_of_a_broken_pack_tells_every_mistake_and_changes_nothing(self, house: TestClient) -> None:
        broken = edited("categories/ball.yaml", "category: ball\n    terms: [篮球", "categroy: ball\n    terms: [篮球") | {
            "words.txt": "\t\n"
        }
        refusal = house.post("/v1/rulesets", json={"files": broken, **SIGNED}).json()
        assert refusal["code"] == "draft_broken"
        assert any("categories/ball.yaml:5:5" in fault["detail"] for fault in refusal["errors"])
        assert house.get("/v1/rulesets/active").json()["version"] == 1
        assert len(house.get("/v1/rulesets").json()["versions"]) == 1

    def test_stops_where_a_case_fails(self, house: TestClient) -> None:
        refusal = house.post("/v1/rulesets", json={"files": edited(*FAILING), **SIGNED})
        assert (refusal.status_code, refusal.json()["code"]) == (422, "cases_fail")
        assert refusal.json()["failed"][0]["file"] == "categories/ball.test.yaml"
        assert house.get("/v1/rulesets/active").json()["version"] == 1

    def test_goes_on_over_a_failing_case_with_a_reason_that_is_kept(self, house: TestClient) -> None:
        answer = house.post("/v1/rulesets", json={"files": edited(*FAILING), **SIGNED, "overrule": "用例写错了，明天改"})
        assert (answer.status_code, answer.json()["failed"]) == (201, 1)
        kept = house.get("/v1/rulesets/2").json()["overruled"]
        assert "用例写错了，明天改" in kept
        assert "categories/ball.test.yaml" in kept
        assert events(house, "rules.published")[-1]["overruled"] == kept

    def test_of_the_same_content_is_refused(self, house: TestClient) -> None:
        refusal = house.post("/v1/rulesets", json={"files": tiny(), **SIGNED})
        assert (refusal.status_code, refusal.json()["code"]) == (409, "nothing_new")

    def test_on_an_older_base_than_the_one_in_force_is_refused(self, house: TestClient) -> None:
        published(house)
        refusal = house.post("/v1/rulesets", json={"files": tiny() | {"words.txt": "羽毛球拍\n"}, **SIGNED, "base": 1})
        assert (refusal.status_code, refusal.json()["code"]) == (409, "base_moved")

    def test_of_another_pack_is_refused(self, house: TestClient) -> None:
        refusal = house.post("/v1/rulesets", json={"files": edited("ruleset.yaml", "pack: tiny", "pack: other"), **SIGNED})
        assert (refusal.status_code, refusal.json()["code"]) == (422, "pack_mismatch")


class TestNames:
    @pytest.mark.parametrize(
        "name", ["../evil.test.yaml", "/etc/x.test.yaml", "categories/../../x.yaml", "a\\b.test.yaml", ".git/x.test.yaml", "c:x.yaml"]
    )
    def test_that_could_leave_a_folder_are_refused(self, house: TestClient, name: str) -> None:
        refusal = house.post("/v1/rulesets", json={"files": tiny() | {name: "cases: []\n"}, **SIGNED})
        assert (refusal.status_code, refusal.json()["errors"][0]["code"]) == (422, "bad_name")


class TestZip:
    def test_of_the_folder_is_published_with_the_rest_in_the_query(self, house: TestClient) -> None:
        answer = sent(house, zipped({f"tiny/{name}": text for name, text in edited(*BADMINTON).items()} | {"__MACOSX/._x": "?"}))
        assert (answer.status_code, answer.json()["digest"]) == (201, rulebook.digest(edited(*BADMINTON)))

    def test_that_is_none_is_told_so(self, house: TestClient) -> None:
        whole = zipped(tiny())
        for body in (b"PK\x03\x04nonsense", whole[: len(whole) // 2], b"files: x"):
            assert (sent(house, body).status_code, sent(house, body).json()["code"]) == (400, "archive_broken")

    def test_that_would_burst_is_not_unpacked(self, house: TestClient) -> None:
        bomb = zipped(tiny() | {"categories/big.yaml": "#" * 50_000_000})
        assert len(bomb) < 100_000
        assert (sent(house, bomb).status_code, sent(house, bomb).json()["code"]) == (413, "too_large")

    def test_with_thousands_of_files_is_refused(self, house: TestClient) -> None:
        assert sent(house, zipped({f"categories/c{number}.yaml": "" for number in range(2_000)})).json()["code"] == "archive_broken"

    @pytest.mark.parametrize("name", ["../x.test.yaml", "/etc/x.yaml", "a/../../x.yaml", "c:x.yaml", "..\\x.yaml"])
    def test_with_names_that_lead_out_of_it_is_not_opened(self, house: TestClient, name: str) -> None:
        assert sent(house, zipped(tiny() | {name: "rules: []"})).json()["code"] == "archive_broken"

    def test_with_a_link_in_it_is_not_opened(self, house: TestClient) -> None:
        target = io.BytesIO(zipped(tiny()))
        link = zipfile.ZipInfo("categories/link.yaml")
        link.external_attr = 0o120777 << 16
        with zipfile.ZipFile(target, "a") as archive:
            archive.writestr(link, "/etc/passwd")
        assert sent(house, target.getvalue()).json()["code"] == "archive_broken"

    def test_that_was_exported_is_the_same_bytes_each_time_and_comes_back_whole(self, house: TestClient) -> None:
        first = house.get("/v1/rulesets/1/export")
        assert (first.status_code, first.headers["content-type"]) == (200, "application/zip")
        assert house.get("/v1/rulesets/1/export").content == first.content == rulelife.packed(tiny())
        assert rulelife.unpack(first.content) == tiny()
        assert sent(house, first.content).json()["code"] == "nothing_new"


class TestRollback:
    def test_is_one_call_and_goes_both_ways(self, house: TestClient) -> None:
        published(house)
        for version, given in ((1, None), (2, "gym_office")):
            answer = house.post(f"/v1/rulesets/{version}/activate", json=SIGNED)
            assert (answer.status_code, answer.json()["active"]) == (200, True)
            assert lead(house, "孩子的羽毛球班不退费。") == given
        assert [told["version"] for told in events(house, "rules.activated")] == [1, 2, 1, 2]

    def test_to_a_version_that_is_not_there_is_refused(self, house: TestClient) -> None:
        assert house.post("/v1/rulesets/9/activate", json=SIGNED).json()["code"] == "ruleset_not_found"

    def test_to_the_version_in_force_changes_nothing(self, house: TestClient) -> None:
        assert house.post("/v1/rulesets/1/activate", json=SIGNED).json()["code"] == "nothing_new"

    def test_needs_a_name_and_a_reason(self, house: TestClient) -> None:
        assert house.post("/v1/rulesets/1/activate", json={"author": "王科长"}).json()["code"] == "author_missing"


class TestVersions:
    def test_keep_their_files_for_ever_and_tell_where_they_come_from(self, house: TestClient) -> None:
        published(house)
        rows = house.get("/v1/rulesets").json()["versions"]
        assert [(row["version"], row["author"], row["parent"], row["active"]) for row in rows] == [
            (2, "王科长", 1, True),
            (1, "system", None, False),
        ]
        assert house.get("/v1/rulesets/1").json()["files"] == tiny()

    def test_differ_in_words_of_the_rules(self, house: TestClient) -> None:
        published(house)
        told = house.get("/v1/rulesets/1/diff/2").json()
        assert told["text"] == "规则 ball.programs（球类项目）：增词 羽毛球；删词 足球"
        [change] = told["changes"]
        assert (change["key"], change["field"], change["added"], change["removed"]) == ("ball.programs", "terms", ["羽毛球"], ["足球"])
        assert house.get("/v1/rulesets/1/diff/1").json()["changes"] == []


class TestTrying:
    def test_a_draft_is_checked_without_changing_anything(self, house: TestClient) -> None:
        told = house.post(
            "/v1/rulesets/check", json={"files": edited("categories/ball.yaml", "clause: order-2\n  - id", "clause: order-22\n  - id")}
        ).json()
        assert (told["ok"], told["errors"], told["mistakes"][0]["rule"]) == (False, 1, "ball.programs")
        assert house.post("/v1/rulesets/check", json={"files": tiny()}).json()["ok"] is True

    def test_a_draft_is_tested_without_changing_anything(self, house: TestClient) -> None:
        assert house.post("/v1/rulesets/test", json={"files": tiny()}).json()["passed"] is True
        told = house.post("/v1/rulesets/test", json={"files": edited(*FAILING)}).json()
        assert (told["passed"], len(told["failed"])) == (False, 1)
        assert len(house.get("/v1/rulesets").json()["versions"]) == 1


class TestCommandLine:
    def test_a_morning(self, house: TestClient, fenpai: Fenpai, pack: Path, tmp_path: Path) -> None:
        edit(pack, *BADMINTON)
        assert "增词 羽毛球；删词 足球" in fenpai("rules", "diff").out
        assert "增词 羽毛球；删词 足球" in fenpai("rules", "diff", str(pack)).out
        done = fenpai("rules", "publish", *BY)
        assert (done.code, "第 2 版" in done.out) == (0, True)
        assert "王科长" in fenpai("rules", "versions").out
        assert "增词 足球；删词 羽毛球" in fenpai("rules", "diff", "2", "1").out
        assert fenpai("rules", "export", "1", str(tmp_path / "old")).code == 0
        assert rulebook.read_folder(tmp_path / "old") == tiny()
        assert fenpai("rules", "rollback", *BY).code == 0
        assert house.get("/v1/rulesets").json()["versions"][1]["active"]
        assert fenpai("rules", "publish", str(tmp_path / "old"), *BY).code == 2

    def test_a_broken_folder_publishes_nothing_and_ends_with_one(self, fenpai: Fenpai, pack: Path) -> None:
        edit(pack, "categories/ball.yaml", "category: ball\n    terms: [篮球", "categroy: ball\n    terms: [篮球")
        ended = fenpai("rules", "publish", *BY)
        assert ended.code == 1
        assert "categories/ball.yaml:5:5: 错误" in ended.out

    def test_a_failing_case_is_shown_and_can_be_overruled(self, fenpai: Fenpai, pack: Path) -> None:
        edit(pack, *FAILING)
        ended = fenpai("rules", "publish", *BY)
        assert (ended.code, "期望 stage_office" in ended.out) == (1, True)
        assert fenpai("rules", "publish", *BY, "--overrule", "用例写错了").code == 0
        assert "用例写错了" in fenpai("rules", "versions").out

    def test_dry_run_publishes_nothing(self, fenpai: Fenpai, pack: Path) -> None:
        edit(pack, *BADMINTON)
        assert "羽毛球" in fenpai("rules", "publish", *BY, "--dry-run").out
        assert len(fenpai("rules", "versions", "--json").answer) == 1

    def test_nobody_publishes_without_a_name(self, fenpai: Fenpai) -> None:
        assert fenpai("rules", "publish").code == 2

    def test_an_export_leaves_what_is_there_alone(self, fenpai: Fenpai, pack: Path) -> None:
        assert fenpai("rules", "export", "1", str(pack)).code == 2
        assert fenpai("rules", "export", "1", str(pack.parent / "v1.zip")).code == 0
        assert zipfile.is_zipfile(pack.parent / "v1.zip")

    def test_two_people_bring_a_folder_into_force(self, house: TestClient, fenpai: Fenpai, pack: Path, tmp_path: Path) -> None:
        edit(pack, "ruleset.yaml", "pack: tiny\n", "pack: tiny\nsecond_person: true\n")
        assert fenpai("rules", "publish", *BY).code == 0
        edit(pack, *BADMINTON)
        alone = fenpai("rules", "publish", *BY, "--overrule", "急")
        assert (alone.code, "双人审批" in alone.err) == (2, True)
        pushed = fenpai("rules", "draft", "push", "--author", "王科长", "--title", "羽毛球")
        number = pushed.out.split()[1].partition("，")[0]
        assert fenpai("rules", "draft", "ask", number, "--author", "王科长", "--note", "家长常问").code == 0
        own = fenpai("rules", "draft", "approve", number, "--author", "王科长", "--note", "好")
        assert (own.code, "另一人" in own.err) == (2, True)
        assert fenpai("rules", "draft", "approve", number, "--author", "李主任", "--note", "看过").code == 0
        shown = fenpai("rules", "draft", "show", number)
        assert ("已批准" in shown.out, "增词 羽毛球" in shown.out) == (True, True)
        assert fenpai("rules", "publish", *BY).code == 0
        assert [row["version"] for row in house.get("/v1/rulesets").json()["versions"] if row["active"]] == [3]
        assert fenpai("rules", "draft", "pull", number, str(tmp_path / "pulled")).code == 0
        assert rulebook.read_folder(tmp_path / "pulled") == rulebook.read_folder(pack)
        assert fenpai("rules", "draft", "discard", number, "--author", "王科长").code == 2
        assert "没有草稿" in fenpai("rules", "draft", "list").out


def zipped(files: dict[str, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return target.getvalue()


def sent(house: TestClient, body: bytes) -> Any:
    return house.post("/v1/rulesets", content=body, params=SIGNED, headers={"Content-Type": "application/zip"})


def test_what_is_in_force_already_is_not_called_a_change_of_comments(fenpai: Fenpai) -> None:
    ended = fenpai("rules", "publish", "--author", "王科长", "--note", "再发一次")
    assert (ended.code, ended.out) == (2, "")
    assert "内容与在用的第 1 版逐字相同，没有发布。" in ended.err
