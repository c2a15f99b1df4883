"""Marked data goes in at every door of the service, and comes out nowhere but where it belongs: a new door is tried without a word here."""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from models.moves import MOVES, Move
from service import db
from service.app import create_app
from tests.api.conftest import Orders, eventually, opened, settings_for
from tests.api.test_access import bearer, routes
from tests.api.test_moves import LEADS
from tests.casework.people import BODIES
from tests.incidents.hall import INCIDENTS
from tests.outbox.receiver import Receiver
from tests.packs.build import tiny
from tests.provider import CLIENT, SECRET, Provider, provider

NAME, PHONE, HOME = "欧阳标记", "13900007788", "标记胡同七号院"
WHO = {"name": NAME, "phone": PHONE, "address": HOME}
"""Who complained: in clear nowhere at all, but for those who ask for it with a reason."""
NUMBER = "13611112222"
WORD = f"标记证言{NUMBER}"
"""What people write: kept, but in no log, no metric, no trace and no error; and the number in it in no letter and no table."""
TEXT = f"云溪区飞鱼篮球班不给退费，孩子没法上课，{WORD}。"
PLACE = "标记地址13622223333"
"""What stands in an address: told to nobody but the caller, who hears that there is nothing of that name."""
LONG = f"孩子上篮球班，教练换了三次，说好的小班变成二十人，要求退费，剩余的十二节课不上了，{WORD}。"

NOT_OPENED = {
    "recompute_case": "an edited calendar has to come into force before",
    "release_rule": "a rule has to be found unreliable before",
}
"""Doors at which nothing is done here, and why; what they refuse is looked at as for all others."""

LONG_LIFE = (Move.ACCEPT, Move.EXTEND, Move.PAUSE, Move.RESUME, Move.ASSIST_REPLY, Move.REPLY, Move.COMPLETE, Move.FOLLOW_UP, Move.REDO)
LIVES = (
    (*LONG_LIFE, Move.REPLY, Move.COMPLETE, Move.FOLLOW_UP, Move.ARCHIVE),
    (Move.URGE, Move.SUPERVISE, Move.HAND_BACK, Move.REJECT, Move.RETURN),
    (Move.HAND_BACK, Move.UPHOLD, Move.RE_DISPATCH, Move.HAND_BACK, Move.RE_DISPATCH, Move.HAND_BACK, Move.DESIGNATE),
    (Move.MERGE, Move.UNMERGE, Move.RECLASSIFY),
)
THE_LEADS = {move for move, department in LEADS.items() if department == "gym_office"}
OTHER = {"X-Fenpai-Actor": "li"}
PAGE = {"Sec-Fetch-Site": "same-origin"}
PLAIN = {"reason", "text", "note", "approver"}


class Visitor:
    """Goes through the doors as an administrator, and keeps every answer."""

    def __init__(self, house: TestClient, sign_on: Provider) -> None:
        self._house = house
        self.answers: list[tuple[str, Any]] = []
        self.key = ""
        self.sign_on(sign_on)
        who = ("admin", "approver", *(f"department:{code}" for code in ("gym_office", "stage_office", "money_office")))
        made = {scope: self.go("POST", "/v1/keys", json={"name": WORD, "scopes": [scope]}, headers=PAGE) for scope in who}
        self.keys = {scope.removeprefix("department:"): answer.json()["key"] for scope, answer in made.items()}
        self.key = self.keys["admin"]
        self.go("DELETE", "/v1/session", headers=PAGE)

    def sign_on(self, sign_on: Provider) -> None:
        location = self.go("POST", "/v1/session/oidc", json={}, headers=PAGE).json()["location"]
        self.go("GET", "/v1/session/oidc/callback", params=sign_on.back(location), follow_redirects=False)

    def go(self, method: str, path: str, tag: str | int | None = None, **how: Any) -> Any:
        """What is asked for is done: an answer that refuses is a fault of the test."""
        answer = self.ask(method, path, tag, **how)
        assert answer.status_code < 400, (method, path, answer.text)
        return answer

    def ask(self, method: str, path: str, tag: str | int | None = None, by: str = "admin", **how: Any) -> Any:
        held = {"If-Match": tag if isinstance(tag, str) else f'"{tag}"'} if tag is not None else {}
        shown = bearer(self.keys.get(by, self.key)) if self.key else {}
        headers = shown | {"X-Fenpai-Actor": "wang"} | held | how.pop("headers", {})
        self.answers.append((path, self._house.request(method, path, headers=headers, **how)))
        return self.answers[-1][1]

    def works(self, case: str, moves: tuple[Move, ...], **said: Any) -> None:
        """These moves, whatever can be written with them being marked."""
        for move in moves:
            tag = self.go("GET", f"/v1/cases/{case}").headers["etag"]
            fields = MOVES[move].body.model_fields
            marked = dict.fromkeys(PLAIN & set(fields), WORD)
            lead = self.go("GET", f"/v1/cases/{case}").json()["lead"]
            other = {"lead": "gym_office" if lead == "stage_office" else "stage_office", "suggested": "study_office"}
            told = {name: value for name, value in {**BODIES[move], **marked, **other, **said}.items() if name in fields}
            self.go("POST", f"/v1/cases/{case}/{move}", tag, by=lead if move in THE_LEADS else LEADS[move], json=told)

    def of_cases(self, order: Callable[..., dict[str, Any]], files: list[Path]) -> None:
        """Everything that is done with cases."""
        sent = [order(content=TEXT, complainant=WHO, extra={"来电": NUMBER}, institution="飞鱼篮球俱乐部") for _ in range(3)]
        cases = [self.go("POST", "/v1/cases", json=one).json()["id"] for one in sent]
        twins = [order(content=LONG + "呀" * n, complainant=WHO) for n in range(3)]
        batch = b"\n".join(map(orjson.dumps, twins))
        self.go("POST", "/v1/cases/batch", content=batch, headers={"Content-Type": "application/x-ndjson"})
        eventually(lambda: bool(self.go("GET", "/v1/incidents").json()["incidents"]))
        [incident] = self.go("GET", "/v1/incidents").json()["incidents"]
        self.go("GET", f"/v1/incidents/{incident['case']['id']}")
        self.works(cases[0], (Move.UNMERGE,))
        eventually(lambda: len(self.go("GET", "/v1/duplicates").json()["duplicates"]) >= 2)
        pairs = [(one["case_id"], one["other_id"]) for one in self.go("GET", "/v1/duplicates").json()["duplicates"]]
        self.go("POST", f"/v1/duplicates/{'/'.join(pairs[0])}/dismiss", json={"reason": WORD})
        tag = self.go("GET", f"/v1/cases/{pairs[1][0]}").headers["etag"]
        self.go("POST", f"/v1/duplicates/{'/'.join(pairs[1])}/accept", tag, json={"note": WORD})
        other = order(complainant=WHO)
        into = self.go("POST", "/v1/cases", json=other).json()["id"]
        for life in LIVES:
            case = self.go("POST", "/v1/cases", json=order(title=WORD, complainant=WHO)).json()["id"]
            self.works(case, life, into=into)
        self.go("POST", "/v1/triage", json={"title": WORD, "content": TEXT})
        for path in ("", "/events", "/clocks", "/moves", "/similar"):
            self.go("GET", f"/v1/cases/{cases[0]}{path}")
        told = self._house.post(f"/v1/cases/{into}/unmask", json={"reason": "回访核实退款"}, headers=bearer(self.key)).json()
        assert (told["name"], told["phone"], told["address"]) == (NAME, PHONE, HOME)  # the one answer that may
        for path in ("/v1/cases", "/v1/cases/count"):
            self.go("GET", path, params={"street": WORD, "institution": "飞鱼", "source_order_no": sent[0]["source_order_no"]})
        for form in ("csv", "xlsx"):
            self.go("GET", f"/v1/cases/export?format={form}")
        assert [path for path in files if path.exists()]

    def of_rules(self) -> None:
        """Everything that is done with rules and drafts."""
        by = {"author": "wang", "note": WORD}
        marked = {name: f"# {WORD}\n{text}" for name, text in tiny().items() if name.endswith("ball.yaml")}
        files = tiny() | marked
        for what in ("check", "test", "impact"):
            self.go("POST", f"/v1/rulesets/{what}", json={"files": files})
        self.go("POST", "/v1/rulesets", json={"files": files, **by})
        self.go("POST", "/v1/rulesets/1/activate", json=by)
        for path in ("active", "2", "2/export", "1/diff/2", "schema", "shadow", "drafts", "jobs"):
            self.go("GET", f"/v1/rulesets/{path}")
        self.go("POST", "/v1/rulesets/shadow", json={"version": 2, **by})
        self.go("POST", "/v1/rulesets/shadow/stop", json=by)
        repair = self.go("POST", "/v1/rulesets/repair", json={"wrong": [{"text": WORD + "孩子学空灵鼓", "decision": "dispatch"}]}).json()
        self.go("GET", f"/v1/rulesets/jobs/{repair['id']}")
        self.go("DELETE", f"/v1/rulesets/jobs/{repair['id']}")
        for end in ("discard", "publish"):
            self.with_a_draft(end, WORD if end == "publish" else f"{WORD}2")
        for path in ("/v1/rulesets", "/v1/rules/ledger", "/v1/rules/ball.programs/ledger"):
            self.go("GET", path)

    def with_a_draft(self, end: str, word: str) -> None:
        made = self.go("POST", "/v1/rulesets/drafts", json={"title": WORD, "version": 2})
        path, tag = f"/v1/rulesets/drafts/{made.json()['id']}", made.headers["etag"]
        ball = tiny()["categories/ball.yaml"]
        edit = {"edits": [{"op": "add", "field": "terms", "where": "ball.programs", "value": word}]}
        steps: tuple[tuple[str, str, dict[str, Any]], ...] = (
            ("PUT", "/files", {"json": {"files": tiny()}}),
            ("PUT", "/files/extra.txt", {"content": WORD.encode(), "headers": {"Content-Type": "text/plain"}}),
            ("DELETE", "/files/extra.txt", {}),
            ("PUT", "/files/categories/ball.yaml", {"content": (ball + f"# {word}\n").encode(), "headers": {"Content-Type": "text/plain"}}),
            ("POST", "/edits", {"json": edit}),
            ("POST", "/merge", {"json": {"prove": False}}),
            *(("POST", f"/{step}", {"json": {"reason": WORD}}) for step in ("ask", "withdraw", "ask")),
            ("POST", "/refuse", {"json": {"reason": WORD}, "headers": OTHER, "by": "approver"}),
            ("POST", "/ask", {"json": {"reason": WORD}}),
            ("POST", "/approve", {"json": {"reason": WORD}, "headers": OTHER, "by": "approver"}),
        )
        for method, place, how in steps:
            tag = self.go(method, path + place, tag, **how).headers.get("etag", tag)
        for place in ("", "/files/categories/ball.yaml", "/export", "/rules", "/diff"):
            self.go("GET", path + place)
        asked: dict[str, Any] = {
            "check": {"files": {}},
            "test": None,
            "prove": None,
            "impact": None,
            "triage": {"title": WORD, "content": TEXT},
        }
        for what, body in asked.items():
            self.go("POST", f"{path}/{what}", json=body)
        if end == "publish":
            self.go("POST", f"{path}/publish", tag, json={"note": WORD})
        else:
            self.go("DELETE", path, tag)

    def of_the_office(self, receiver: Receiver) -> None:
        """Registers, keys, sessions, channels, letters, the audit, and what machines ask for."""
        table = f"名称,地址\n飞鱼篮球俱乐部,{WORD}\n"
        self.go("POST", "/v1/institutions/import", content=table.encode(), headers={"Content-Type": "text/csv"})
        [one] = self.go("GET", "/v1/institutions", params={"q": "飞鱼"}).json()["institutions"]
        self.go("GET", f"/v1/institutions/{one['id']}")
        key = self.go("POST", "/v1/keys", json={"name": WORD, "scopes": ["viewer"]}).json()["id"]
        self.go("POST", f"/v1/keys/{key}/rotate", json={"overlap_hours": 1})
        self.go("POST", f"/v1/keys/{key}/revoke")
        self.go("POST", "/v1/session", json={"key": self.key}, headers=PAGE)
        self.go("DELETE", "/v1/session", headers=PAGE)
        receiver.wait(lambda: bool(receiver.taken))
        [letter, *_] = self.go("GET", "/v1/deliveries").json()["deliveries"]
        self.go("POST", f"/v1/deliveries/{letter['id']}/replay")
        self.go("GET", "/v1/departments/gym_office/channel")
        self.go("POST", "/v1/departments/gym_office/channel/test")
        self.go("POST", "/v1/audit/verify", json={})
        self.go("GET", "/v1/clocks/preview", params={"received": "2026-11-24T16:20:00+08:00"})
        beside = ("/v1/keys", "/v1/session", "/v1/channels", "/v1/departments", "/v1/vocabulary", "/v1/stats")
        for path in (*beside, "/v1/audit", "/v1/audit/export", "/v1/changes", "/v1/institutions/export", "/healthz", "/readyz", "/metrics"):
            self.go("GET", path)

    def at_every_door(self, app: Any) -> None:
        """And everywhere what nobody should send: the mark where a number is asked for, where a name is asked for, and as a broken body."""
        for route in routes(app):
            path = re.sub(r"\{[^}]*:int\}", "7", route.path)
            path = re.sub(r"\{[^}]*\}", PLACE, path)
            [method] = route.methods or {"GET"}
            broken = f'{{"reason": "{WORD}", "complainant": "{NAME}{PHONE}{HOME}'.encode()
            wrong = {"reason": [WORD], "content": [PHONE], "complainant": {"phone": [PHONE]}, "limit": WORD}
            query = {"limit": WORD, "cursor": WORD, "status": WORD, "wait": WORD, "since": WORD, "after": WORD, "format": WORD}
            self.ask(method, path, 1, params=query, headers={"X-Fenpai-Department": "admin"}, follow_redirects=False)
            if method in {"POST", "PUT"}:
                self.ask(method, path, 1, json=wrong)
                self.ask(method, path, NUMBER, content=broken, headers={"Content-Type": "application/json"})


@pytest.fixture
def sign_on() -> Iterator[Provider]:
    with provider() as found:
        found.redirect_uri = "http://localhost/v1/session/oidc/callback"
        found.person = {"sub": "u-7", "name": "王科长", "roles": ["guanli"]}
        yield found


def test_nothing_that_was_marked_comes_out_where_it_does_not_belong(
    tmp_path: Path,
    order: Orders,
    paper: Callable[[], list[dict[str, Any]]],
    collector: tuple[str, list[bytes]],
    sign_on: Provider,
) -> None:
    endpoint, traced = collector
    pack, url = tmp_path / "pack" / "tiny", f"sqlite:///{tmp_path}/fenpai.db"
    for name, text in (tiny() | {"incidents.yaml": INCIDENTS}).items():
        (pack / name).parent.mkdir(parents=True, exist_ok=True)
        (pack / name).write_text(text, encoding="utf-8")
    how = {"oidc_issuer": sign_on.url, "oidc_client": CLIENT, "oidc_secret": SECRET, "oidc_scopes": "guanli=admin"}
    beside = {"public_url": "http://localhost", "otel_endpoint": endpoint, "allow_private_targets": "yes", "pack": str(pack)}
    with Receiver().open() as receiver, opened(create_app(settings_for(url, **how, **beside))) as house:
        visitor = Visitor(house, sign_on)
        channel = "/v1/departments/gym_office/channel"
        visitor.go("PUT", channel, json={"url": receiver.url, "secret": receiver.secret})
        visitor.of_cases(order, [tmp_path / "fenpai.db"])
        visitor.of_rules()
        visitor.of_the_office(receiver)
        visitor.go("DELETE", channel)
        visitor.at_every_door(house.app)
        with closing(db.connect(url)) as database:
            db.backup(database, tmp_path / "fenpai.db.backup")
        files = [path.read_bytes() for path in tmp_path.glob("fenpai.db*")]
        doors = {(method, route.path): route.name for route in routes(house.app) for method in route.methods or ()}
    log = paper()
    passed = {doors[line["method"], line["route"]] for line in log if line.get("event") == "request" and line["status"] < 400}
    assert set(doors.values()) - passed == set(NOT_OPENED)

    answers = visitor.answers
    letters = [got.body for got in receiver.got]
    tables = [part for path, answer in answers if path.startswith("/v1/cases/export") for part in unpacked(answer.content)]
    refusals = [answer.content for _, answer in answers if answer.status_code >= 400]
    figures = [answer.content for path, answer in answers if path in {"/metrics", "/readyz"} and answer.status_code == 200]
    noted = [str(log).encode(), *traced, *figures]
    written = noted + refusals
    assert min(map(len, (letters, tables, refusals, figures, traced, files))) > 0
    every = [answer.content for _, answer in answers]
    assert marks(every + files + letters + tables + written, NAME, PHONE, HOME) == []
    assert marks(letters + tables + written, NUMBER) == []
    assert marks(written, WORD[:4]) == []
    assert marks(noted, PLACE[4:]) == []
    assert marks(files + written, visitor.key, receiver.secret.removeprefix("whsec_"), SECRET) == []


def marks(places: list[bytes], *wanted: str) -> list[bytes]:
    """Around each mark that is found, what stands there."""
    found = [(place, place.find(mark.encode())) for place in places for mark in wanted]
    return [place[max(0, at - 200) : at + 100] for place, at in found if at >= 0]


def unpacked(content: bytes) -> list[bytes]:
    """A table as text; a workbook is a zip."""
    if not content.startswith(b"PK"):
        return [content]
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return [book.read(name) for name in book.namelist()]
