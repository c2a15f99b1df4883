"""A corpus of nasty texts through every door that takes words, on both databases: refused or kept as they are, never a fault."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Orders

NASTY = (
    "\x00",
    "篮球班\x00退费",
    "\r\nSet-Cookie: a=b\r\n\r\n",
    "\x1b[31m红\x07\u202e篮球班退费\u202c\u200b\u200d\ufeff",
    "\ufffe\uffff\U0010ffff",
    "e\u0301" * 200 + "\u0300" * 500,
    "ﷺ" * 300 + "㏂Ⅷ①ｆｕｌｌ",
    "👩‍👩‍👧‍👦" * 100 + "🏳️‍🌈𠮷𪚥𰻞İıſßΑΩ",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "'; DROP TABLE cases; -- \" ` ) OR 1=1 /*",
    "%s %d {0} {title} ${jndi:ldap://x} {{7*7}} #{1}",
    "=cmd|'/c calc'!A1",
    "../..\\../etc/passwd",
    "- !!python/object/apply:os.system [ls]",
    "&a [*a, *a, *a]\n<<: *a",
    '{"a": [1, 2]}',
    "]]></x><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>",
    "1e999",
    "12:30",
    "（" * 5000,
    "不" * 3000 + "篮球班",
    " \u3000\u00a0\u2028\u2029\u0085 ",
    "。，、；：？！" * 300,
    "\\u0000\\ud800",
    "%_\\%*?[a-z]",
    "(a+)+$" * 100,
)
ACTOR = {"X-Fenpai-Actor": "zhang", "X-Fenpai-Department": "gym_office"}
OFFICE = {"X-Fenpai-Actor": "zhou", "X-Fenpai-Department": "study_office"}


def sends(house: TestClient, text: str, order: dict[str, Any], draft: str) -> Iterator[tuple[str, Any]]:
    """This text in every place where one may write; the door and its answer."""
    fields = {"title": text[:500], "content": f"云溪区某篮球班不给退费{text}", "institution": text[:200], "street": text[:100]}
    made = house.post("/v1/cases", json=order | fields | {"complainant": {"name": text[:100]}, "extra": {text[:50]: text}})
    yield "receive", made
    yield "receive its number", house.post("/v1/cases", json=order | {"source_order_no": text[:64]})
    yield "batch", house.post("/v1/cases/batch", content=orjson.dumps(order | fields), headers={"Content-Type": "application/x-ndjson"})
    yield "triage", house.post("/v1/triage", json=fields | {"answers": {text[:50]: text[:50]}})
    case = made.json().get("id") or house.post("/v1/cases", json=order).json()["id"]
    for move, said, who in (
        ("accept", {"note": text}, ACTOR),
        ("reply", {"text": text}, ACTOR),
        ("supervise", {"reason": text[:2000]}, OFFICE),
        ("reclassify", {"category": "stage", "reason": text[:2000]}, OFFICE),
    ):
        tag = house.get(f"/v1/cases/{case}").headers["etag"]
        yield move, house.post(f"/v1/cases/{case}/{move}", json=said, headers=who | {"If-Match": tag})
    yield "unmask", house.post(f"/v1/cases/{case}/unmask", json={"reason": text}, headers=ACTOR)
    cell = text[:200].replace('"', '""')
    table = f'名称,简称/别名,地址\n"云溪{cell}篮球馆","{cell}","{cell}"\n'.encode()
    yield "register", house.post("/v1/institutions/import", content=table, headers={"Content-Type": "text/csv"})
    written = {"categories/ball.yaml": f"rules:\n  - id: ball.x\n    name: {text[:50]}\n    category: ball\n    terms: [{text[:500]}]\n"}
    yield "check", house.post("/v1/rulesets/check", json={"files": written | {text[:50]: text}})
    path, head = f"/v1/rulesets/drafts/{draft}", {"X-Fenpai-Actor": "wang", "X-Fenpai-Department": "admin"}
    tag = house.get(path).headers["etag"]
    edit = {"edits": [{"op": "add", "field": "terms", "where": "ball.programs", "value": text[:500]}]}
    yield "edit a draft", house.post(f"{path}/edits", json=edit, headers=head | {"If-Match": tag})
    tag = house.get(path).headers["etag"]
    yield "ask for a draft", house.post(f"{path}/ask", json={"reason": text}, headers=head | {"If-Match": tag})
    yield "open a draft", house.post("/v1/rulesets/drafts", json={"title": text[:200]}, headers=head)
    yield "channel", house.put("/v1/departments/gym_office/channel", json={"url": text[:500]})
    asked = {"street": text[:100], "source_order_no": text[:60]}
    yield "list", house.get("/v1/cases", params=asked)
    yield "list by institution", house.get("/v1/cases", params={"institution": f"飞鱼篮球{text[:90]}"})
    yield "cursor", house.get("/v1/cases", params={"cursor": text[:200]})
    yield "count", house.get("/v1/cases/count", params=asked)
    yield "export", house.get("/v1/cases/export", params={"format": "xlsx", "street": asked["street"]})
    yield "institutions", house.get("/v1/institutions", params={"q": text[:100]})
    yield "audit", house.get("/v1/audit", params={"actor": text[:100], "kind": text[:50]})
    yield "path", house.get("/v1/cases/" + "".join(f"%{sign:02x}" for sign in text[:200].encode()))


@pytest.mark.filterwarnings("ignore:.*:UnicodeWarning")
def test_nasty_texts_are_refused_or_kept_and_nothing_falls(api: TestClient, order: Orders) -> None:
    met: Counter[tuple[str, int]] = Counter()
    head = {"X-Fenpai-Actor": "wang", "X-Fenpai-Department": "admin"}
    for text in NASTY:
        draft = api.post("/v1/rulesets/drafts", json={"title": "x"}, headers=head).json()["id"]
        for door, answer in sends(api, text, order(), draft):
            assert answer.status_code < 500, (door, text[:60], answer.text)
            met[door, answer.status_code] += 1
    assert met.total() == len(NASTY) * len({door for door, _ in met})
    assert api.get("/v1/cases?limit=200").status_code == 200
    assert {each["content"] for each in kept(api)} >= {f"云溪区某篮球班不给退费{text}".strip() for text in NASTY if "\x00" not in text}


def kept(api: TestClient) -> Iterator[dict[str, Any]]:
    """Every case that came in, whole."""
    found = api.get("/v1/cases?limit=200").json()
    for case in found["cases"]:
        yield api.get(f"/v1/cases/{case['id']}").json()
