"""Drafts in the database: several admins work on one, nothing is lost, nothing decides before it is published."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from service import db, store
from service.app import create_app
from service.store import JobRow
from tests.api.conftest import eventually, opened, settings_for
from tests.packs.build import edited, tiny
from tests.rulelife.conftest import BADMINTON

WANG = {"X-Fenpai-Actor": "wang", "X-Fenpai-Department": "admin"}
LI = {"X-Fenpai-Actor": "li", "X-Fenpai-Department": "admin"}
BALL = "categories/ball.yaml"
ADDED = {"op": "add", "field": "terms", "where": "ball.programs", "value": "羽毛球"}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    url: str = request.getfixturevalue("module_url") if request.param == "postgres" else ""
    return url or f"sqlite:///{tmp_path_factory.mktemp('drafts')}/fenpai.db"


@pytest.fixture(scope="module")
def house(address: str) -> Iterator[TestClient]:
    """One house for the file on each kind of database; each test has drafts of its own, and what it publishes it takes back."""
    with opened(create_app(settings_for(address))) as client:
        yield client


class Draft:
    """A draft as one admin holds it: each answer's version goes into the next request."""

    def __init__(self, house: TestClient, **given: Any) -> None:
        self.house = house
        self.last = house.post("/v1/rulesets/drafts", json=given, headers=WANG)
        assert self.last.status_code == 201, self.last.text
        self.path = f"/v1/rulesets/drafts/{self.last.json()['id']}"
        self.tag = self.last.headers["ETag"]

    def __call__(self, method: str, path: str = "", who: dict[str, str] = WANG, tag: str | None = None, **sent: Any) -> Any:
        headers = who | {"If-Match": tag or self.tag} | sent.pop("headers", {})
        answer = self.house.request(method, self.path + path, headers=headers, **sent)
        self.tag = answer.headers.get("ETag", self.tag)
        return answer

    def said(self, step: str, who: dict[str, str] = WANG, reason: str = "看过了") -> Any:
        return self("POST", f"/{step}", who, json={"reason": reason})

    def publish(self, who: dict[str, str] = WANG, **more: Any) -> Any:
        return self("POST", "/publish", who, json={"note": "收羽毛球", **more})

    def text(self, name: str = BALL) -> str:
        return self.house.get(f"{self.path}/files/{name}").text


def lead(house: TestClient, text: str) -> Any:
    return house.post("/v1/triage", json={"content": text}).json()["lead"]


def kinds(house: TestClient, draft: Draft) -> list[str]:
    number = draft.path.rpartition("/")[2]
    changes = house.get("/v1/changes", params={"limit": 1000}).json()["changes"]
    return [change["kind"] for change in changes if change["data"].get("draft") == number]


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A house where another person must approve what is published."""
    url = f"sqlite:///{tmp_path_factory.mktemp('strict')}/fenpai.db"
    with opened(create_app(settings_for(url, second_person="yes"))) as client:
        yield client


@pytest.fixture
def _back(house: TestClient) -> Iterator[None]:
    """Whatever was published is taken back."""
    yield
    house.post("/v1/rulesets/1/activate", json={"author": "test", "note": "撤回"})


class TestOpening:
    def test_is_from_the_version_in_force_when_nothing_is_said(self, house: TestClient) -> None:
        draft = Draft(house, title="羽毛球")
        told = draft.last.json()
        assert (told["base"], told["version"], told["state"], told["author"], told["title"]) == (1, 1, "open", "wang", "羽毛球")
        assert told["files"] == sorted(tiny())
        assert draft.text() == tiny()[BALL]
        assert draft.path.rpartition("/")[2] in {one["id"] for one in house.get("/v1/rulesets/drafts").json()["drafts"]}

    def test_may_be_from_files_with_mistakes_which_are_told_when_asked(self, house: TestClient) -> None:
        draft = Draft(house, files=edited("categories/ball.yaml", "category: ball\n    terms: [篮球", "categroy: ball\n    terms: [篮球"))
        checked = house.post(f"{draft.path}/check").json()
        assert (checked["ok"], checked["mistakes"][0]["file"]) == (False, BALL)
        for step in ("test", "prove", "impact"):
            refusal = house.post(f"{draft.path}/{step}", headers=WANG)
            assert (refusal.status_code, refusal.json()["code"]) == (422, "draft_broken")
        assert draft.publish().json()["code"] == "draft_broken"

    def test_is_checked_with_what_is_being_typed_in_place_of_what_is_kept(self, house: TestClient) -> None:
        draft = Draft(house, files=tiny())
        typed = {"files": {BALL: draft.text().replace("clause:", "cluase:", 1)}}
        found = house.post(f"{draft.path}/check", json=typed).json()
        assert [(one["file"], one["code"]) for one in found["mistakes"]] == [(BALL, "unknown_key")]
        assert house.post(f"{draft.path}/check").json()["ok"]

    def test_lists_its_rules_with_file_and_line_even_where_it_has_mistakes(self, house: TestClient) -> None:
        broken = tiny() | {BALL: tiny()[BALL].replace("clause:", "cluase:", 1)}
        draft = Draft(house, files=broken)
        rules = {rule["rule"]: rule for rule in house.get(f"{draft.path}/rules").json()["rules"]}
        found = rules["ball.programs"]
        assert (found["file"], found["supports"]) == (BALL, "category:ball")
        assert draft.text().splitlines()[found["line"] - 1].strip() == "- id: ball.programs"

    def test_needs_to_know_who(self, house: TestClient) -> None:
        assert house.post("/v1/rulesets/drafts", json={}).json()["code"] == "actor_missing"
        assert house.get("/v1/rulesets/drafts/01NOSUCH").json()["code"] == "draft_not_found"


class TestTrying:
    def test_a_complaint_on_a_draft_answers_as_the_rules_in_force_would_and_keeps_nothing(self, house: TestClient) -> None:
        draft, complaint = Draft(house), {"content": "孩子的羽毛球班不退费。"}
        before = house.post(f"{draft.path}/triage", json=complaint).json()
        assert before == house.post("/v1/triage", json=complaint).json() | {"ruleset": before["ruleset"]}
        draft("POST", "/edits", json={"edits": [ADDED]})
        after = house.post(f"{draft.path}/triage", json=complaint).json()
        assert (before["lead"], after["lead"], after["ruleset"]["version"]) == (None, "gym_office", 0)
        assert house.post(f"{draft.path}/triage", json={}).status_code == 422
        assert house.get("/v1/cases").json()["cases"] == []

    def test_its_cases_tells_of_each_where_it_stands(self, house: TestClient) -> None:
        draft = Draft(house, files=edited(*BADMINTON))
        told = house.post(f"{draft.path}/test").json()
        assert len(told["results"]) == told["cases"]
        lines = edited(*BADMINTON)[told["results"][0]["file"]].splitlines()
        assert all(one["text"] in lines[one["line"] - 1] for one in told["results"] if one["file"] == told["results"][0]["file"])
        failed = [one for one in told["results"] if not one["passed"]]
        assert [(one["file"], one["number"]) for one in failed] == [(one["file"], one["number"]) for one in told["failed"]]
        assert all(one["messages"] for one in failed)


class TestMerging:
    """The base of a draft has moved: another version has come into force meanwhile."""

    @pytest.fixture(autouse=True)
    def _taken_back(self, house: TestClient) -> Iterator[None]:
        yield
        house.post("/v1/rulesets/1/activate", json={"author": "li", "note": "撤回"})

    def moved(self, house: TestClient, change: tuple[str, str, str] = BADMINTON) -> int:
        put = {"files": edited(*change), "author": "li", "note": "另一处", "overrule": "用例照旧"}
        version: int = house.post("/v1/rulesets", json=put).json()["version"]
        return version

    def test_puts_words_of_both_into_one_rule_and_keeps_what_each_changed_elsewhere(self, house: TestClient) -> None:
        draft = Draft(house)
        draft("POST", "/edits", json={"edits": [ADDED | {"value": "排球"}]})
        draft("PUT", "/files/words.txt", content="乒乓球馆\n".encode(), headers={"Content-Type": "text/plain"})
        version = self.moved(house)
        merged = draft("POST", "/merge")
        assert (merged.status_code, merged.json()["base"], merged.json()["version"]) == (200, version, 4)
        assert "terms: [篮球, 网球, 羽毛球, 排球]" in draft.text()
        assert draft.text().startswith(tiny()[BALL].splitlines()[0])
        assert "words.txt" in merged.json()["files"]
        told = merged.json()
        assert (told["checked"]["ok"], told["tested"]["passed"], told["proved"]["digest"]) == (True, True, told["digest"])
        changed = house.get(f"{draft.path}/diff").json()["text"]
        assert "增词 排球" in changed
        assert "羽毛球" not in changed
        again = draft("POST", "/merge")
        assert (again.status_code, again.json()["code"]) == (409, "nothing_new")

    def test_tells_what_both_changed_in_words_and_changes_nothing_until_one_side_is_preferred(self, house: TestClient) -> None:
        draft = Draft(house)
        draft("POST", "/edits", json={"edits": [ADDED | {"op": "set", "field": "strength", "value": "weak"}]})
        version = self.moved(house, (BALL, "    terms: [篮球, 足球, 网球]", "    strength: strong\n    terms: [篮球, 足球, 网球, 壁球]"))
        before = draft.text()
        refusal = draft("POST", "/merge")
        assert (refusal.status_code, refusal.json()["code"]) == (409, "merge_conflict")
        [conflict] = refusal.json()["conflicts"]
        assert conflict == {"file": BALL, "what": "规则 ball.programs", "ours": "强度 中 → 弱", "theirs": "增词 壁球；强度 中 → 强"}
        assert draft.text() == before
        assert draft("POST", "/merge", json={"prefer": "ours", "prove": False}).json()["base"] == version
        assert "strength: weak" in draft.text()
        assert "网球, 壁球]" in draft.text(), "a word contends with nothing"


class TestEditing:
    def test_a_rule_keeps_comments_and_order(self, house: TestClient) -> None:
        draft = Draft(house)
        commented = tiny()[BALL].replace("    terms: [篮球, 足球, 网球]", "    # 区体育局定的\n    terms: [篮球, 足球, 网球]  # 三大球")
        sent = draft("PUT", f"/files/{BALL}", content=commented.encode(), headers={"Content-Type": "text/plain"})
        assert (sent.status_code, sent.json()["version"]) == (200, 2)
        edits = [ADDED, ADDED | {"op": "remove", "value": "足球"}, ADDED | {"op": "set", "field": "strength", "value": "weak"}]
        assert draft("POST", "/edits", json={"edits": edits}).json()["version"] == 3
        expected = commented.replace("[篮球, 足球, 网球]", "[篮球, 网球, 羽毛球]")
        assert draft.text().replace("    strength: weak\n", "") == expected
        assert house.get(f"{draft.path}/diff").json()["text"] == "规则 ball.programs（球类项目）：增词 羽毛球；删词 足球；强度 中 → 弱"

    def test_by_two_at_once_loses_nothing(self, house: TestClient) -> None:
        draft = Draft(house)
        assert draft("POST", "/edits", LI, json={"edits": [ADDED]}).status_code == 200
        late = draft("POST", "/edits", tag='"1"', json={"edits": [ADDED | {"value": "排球"}]})
        assert (late.status_code, late.json()["code"]) == (412, "draft_stale")
        assert (late.json()["present"]["version"], late.json()["present"]["updated_by"]) == (2, "li")
        assert "排球" not in draft.text()
        assert house.get(draft.path).json()["editors"] == ["wang", "li"]

    def test_without_a_version_is_refused(self, house: TestClient) -> None:
        draft = Draft(house)
        answer = house.post(f"{draft.path}/edits", json={"edits": [ADDED]}, headers=WANG)
        assert (answer.status_code, answer.json()["code"]) == (428, "version_missing")

    @pytest.mark.parametrize("edit", [{}, {"where": "ball.nosuch"}, {"op": "remove", "value": "没有的"}, {"op": "set"}])
    def test_that_cannot_be_made_changes_nothing(self, house: TestClient, edit: dict[str, str]) -> None:
        draft = Draft(house)
        refusal = draft("POST", "/edits", json={"edits": [ADDED, ADDED | edit]})
        assert (refusal.status_code, refusal.json()["code"]) in {(422, "edit_refused"), (422, "invalid")}
        assert draft.text() == tiny()[BALL]

    def test_of_files_by_name(self, house: TestClient) -> None:
        draft = Draft(house)
        plain = {"Content-Type": "text/plain"}
        assert draft("PUT", "/files/categories/dance.yaml", content="rules: []\n", headers=plain).status_code == 200
        assert draft.text("categories/dance.yaml") == "rules: []\n"
        assert draft("DELETE", "/files/categories/dance.yaml").status_code == 200
        assert house.get(f"{draft.path}/files/categories/dance.yaml").json()["code"] == "draft_file_not_found"
        for name in ("categories/%2e%2e%2fx.yaml", ".hidden.yaml", "a%5Cb.yaml"):
            assert draft("PUT", f"/files/{name}", content="rules: []\n", headers=plain).status_code in {404, 422}
        refusal = draft("PUT", "/files", json={"files": tiny() | {"../x.test.yaml": "cases: []\n"}})
        assert (refusal.status_code, refusal.json()["code"]) == (422, "edit_refused")
        assert draft("PUT", "/files", json={"files": edited(*BADMINTON)}).status_code == 200
        assert "羽毛球" in draft.text()


@pytest.mark.usefixtures("_back")
class TestPublishing:
    def test_a_draft_decides_nothing_before_and_everything_after(self, house: TestClient) -> None:
        draft = Draft(house)
        draft("POST", "/edits", json={"edits": [ADDED]})
        assert house.post(f"{draft.path}/test").json()["passed"] is True
        assert lead(house, "孩子的羽毛球班不退费。") is None
        answer = draft.publish()
        assert (answer.status_code, answer.json()["author"]) == (201, "wang")
        assert lead(house, "孩子的羽毛球班不退费。") == "gym_office"
        assert house.get(draft.path).json()["published"] == answer.json()["version"]
        now = house.get(draft.path).headers["ETag"]
        assert draft("POST", "/edits", tag=now, json={"edits": [ADDED]}).json()["code"] == "draft_closed"

    def test_over_another_ones_version_is_refused_until_it_was_looked_at(self, house: TestClient) -> None:
        mine, theirs = Draft(house), Draft(house)
        theirs("POST", "/edits", LI, json={"edits": [ADDED]})
        version = theirs.publish(LI).json()["version"]
        mine("POST", "/edits", json={"edits": [ADDED | {"value": "排球"}]})
        assert mine.publish().json()["code"] == "base_moved"
        assert mine.publish(base=version).status_code == 201

    def test_needs_a_reason_and_discarding_ends_it(self, house: TestClient) -> None:
        draft = Draft(house)
        assert draft.publish(note=" ").json()["code"] == "author_missing"
        assert draft("DELETE", tag='"1"').json()["state"] == "discarded"
        assert kinds(house, draft) == ["rules.draft_opened", "rules.draft_discarded"]


@pytest.mark.usefixtures("_back")
class TestSecondPerson:
    def test_approves_what_another_made_and_asked_for(self, house: TestClient) -> None:
        draft = Draft(house)
        draft("POST", "/edits", json={"edits": [ADDED]})
        assert draft.said("approve", LI).json()["code"] == "approval_not_open"
        assert draft.said("ask").json()["approval"]["state"] == "asked"
        assert draft.said("ask").json()["code"] == "approval_not_open"
        own = draft.said("approve")
        assert (own.status_code, own.json()["code"]) == (403, "own_approval")
        assert draft.said("approve", LI).json()["approval"]["decided_by"] == "li"
        assert kinds(house, draft) == ["rules.draft_opened", "rules.approval_asked", "rules.approved"]
        assert draft.publish().status_code == 201
        changes = house.get("/v1/changes", params={"limit": 1000}).json()["changes"]
        assert [one["data"]["approved_by"] for one in changes if one["kind"] == "rules.published"][-1] == "li"

    def test_cannot_approve_what_changed_since_it_was_asked(self, house: TestClient) -> None:
        draft = Draft(house)
        draft.said("ask")
        draft("POST", "/edits", json={"edits": [ADDED]})
        assert draft.said("approve", LI).json()["code"] == "approval_not_open"
        assert house.get(draft.path).json()["approval"]["current"] is False

    def test_who_edited_cannot_approve_for_another(self, house: TestClient) -> None:
        draft = Draft(house)
        draft("POST", "/edits", LI, json={"edits": [ADDED]})
        draft.said("ask")
        assert draft.said("approve", LI).json()["code"] == "own_approval"

    def test_may_refuse_and_who_asked_may_withdraw(self, house: TestClient) -> None:
        draft = Draft(house)
        draft.said("ask")
        assert draft.said("refuse", LI).json()["approval"]["state"] == "refused"
        draft.said("ask")
        assert draft.said("withdraw").json()["approval"]["state"] == "withdrawn"
        assert kinds(house, draft)[1:] == ["rules.approval_asked", "rules.refused", "rules.approval_asked", "rules.withdrawn"]


class TestWhereTwoMustAgree:
    """The pack in force says so, or the installation."""

    def test_nothing_is_published_by_one_and_no_overrule_helps(self, strict: TestClient) -> None:
        signed = {"author": "wang", "note": "一个人", "overrule": "急"}
        refusal = strict.post("/v1/rulesets", json={"files": edited(*BADMINTON), **signed})
        assert (refusal.status_code, refusal.json()["code"]) == (409, "approval_missing")
        draft = Draft(strict)
        draft("POST", "/edits", json={"edits": [ADDED]})
        draft.said("ask")
        assert draft.publish(overrule="急").json()["code"] == "approval_missing"
        assert strict.get("/v1/rulesets/active").json()["version"] == 1
        draft.said("approve", LI)
        draft.said("withdraw")
        assert draft.publish().json()["code"] == "approval_missing"

    def test_an_approval_is_good_for_one_publishing_of_that_content(self, strict: TestClient) -> None:
        draft = Draft(strict, files=edited(*BADMINTON))
        draft.said("ask")
        draft.said("approve", LI)
        assert draft.publish().status_code == 201
        assert strict.post("/v1/rulesets/1/activate", json={"author": "wang", "note": "撤回"}).status_code == 200
        again = strict.post("/v1/rulesets", json={"files": edited(*BADMINTON), "author": "wang", "note": "再来"})
        assert again.json()["code"] == "approval_missing"

    def test_one_key_is_one_person_whatever_names_it_gives(self, sqlite_url: str) -> None:
        with opened(create_app(settings_for(sqlite_url))) as house:
            admin = minted(house, {}, "admin")
            both, other = minted(house, admin, "rule_admin", "approver"), minted(house, admin, "approver")
            wang, li = {"X-Fenpai-Actor": "wang"} | both, {"X-Fenpai-Actor": "li"} | both
            made = house.post("/v1/rulesets/drafts", json={}, headers=wang)
            path = f"/v1/rulesets/drafts/{made.json()['id']}"
            for step, who, version, status in (("ask", wang, 1, 200), ("approve", li, 2, 403), ("approve", other, 2, 200)):
                answer = house.post(f"{path}/{step}", json={"reason": "看过"}, headers=who | {"If-Match": f'"{version}"'})
                assert answer.status_code == status, answer.text

    def test_a_pack_can_ask_for_it(self, house: TestClient) -> None:
        asking = edited("ruleset.yaml", "pack: tiny\n", "pack: tiny\nsecond_person: true\n")
        assert house.post("/v1/rulesets", json={"files": asking, "author": "wang", "note": "两个人"}).status_code == 201
        refusal = house.post("/v1/rulesets", json={"files": edited(*BADMINTON), "author": "wang", "note": "一个人"})
        assert refusal.json()["code"] == "approval_missing"
        assert house.post("/v1/rulesets/1/activate", json={"author": "wang", "note": "撤回"}).status_code == 200


class TestLongWork:
    def test_is_a_job_that_is_polled(self, house: TestClient) -> None:
        house.post("/v1/cases", json={"source_system": "h", "source_order_no": "1", "content": "孩子的羽毛球班不退费。"})
        draft = Draft(house)
        draft("POST", "/edits", json={"edits": [ADDED]})
        begun = house.post(f"{draft.path}/impact", headers=WANG)
        assert (begun.status_code, begun.json()["total"]) == (202, 1)
        place = begun.headers["Location"]
        eventually(lambda: house.get(place).json()["state"] == "done")
        told = house.get(place).json()
        assert (told["done"], told["result"]["flipped"], told["error"]) == (1, 1, None)
        assert house.get("/v1/rulesets/jobs").json()["jobs"][0]["id"] == told["id"]
        assert house.delete(place).json()["state"] == "done"
        assert house.get("/v1/rulesets/jobs/01NOSUCH").json()["code"] == "job_not_found"

    def test_a_proof_is_one_too(self, house: TestClient) -> None:
        draft = Draft(house)
        begun = house.post(f"{draft.path}/prove", headers=WANG)
        assert (begun.status_code, begun.json()["kind"]) == (202, "prove")
        place = begun.headers["Location"]
        eventually(lambda: house.get(place).json()["state"] == "done")
        told = house.get(place).json()
        assert (told["done"], told["result"]["digest"]) == (told["total"], draft.last.json()["digest"])

    def test_that_goes_on_elsewhere_can_be_cancelled(self, house: TestClient, address: str) -> None:
        with closing(db.connect(address)) as database, database.write() as conn:
            store.add_job(conn, job("ELSEWHERE", datetime.now(UTC)))
        assert house.get("/v1/rulesets/jobs/ELSEWHERE").json()["state"] == "running"
        assert house.delete("/v1/rulesets/jobs/ELSEWHERE").json()["state"] == "cancelled"

    def test_whose_process_ended_is_told_as_failed(self, house: TestClient, address: str) -> None:
        with closing(db.connect(address)) as database, database.write() as conn:
            store.add_job(conn, job("LOST", datetime.now(UTC) - timedelta(minutes=1)))
        told = house.get("/v1/rulesets/jobs/LOST").json()
        assert (told["state"], "重启" in told["error"]) == ("failed", True)

    def test_is_told_as_failed_after_a_restart_and_never_as_going_on(self, sqlite_url: str) -> None:
        with closing(db.connect(sqlite_url)) as database, database.write() as conn:
            store.add_job(conn, job("BEFORE", datetime.now(UTC)))
        with opened(create_app(settings_for(sqlite_url))) as again:
            assert again.get("/v1/rulesets/jobs/BEFORE").json()["state"] == "failed"


def minted(house: TestClient, admin: dict[str, str], *scopes: str) -> dict[str, str]:
    """The header by which a new key is shown."""
    made = house.post("/v1/keys", json={"name": "-".join(scopes), "scopes": list(scopes)}, headers=admin)
    return {"Authorization": f"Bearer {made.json()['key']}"}


def job(number: str, seen: datetime) -> JobRow:
    """A job that a process says is running."""
    facts = {"kind": "impact", "pack": "tiny", "draft_id": "D", "digest": "a" * 64, "against": 1, "actor": "wang"}
    return JobRow(id=number, state="running", done=1, total=9, created_at=seen, seen_at=seen, **facts)  # type: ignore[arg-type]
