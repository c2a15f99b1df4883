"""Whatever comes in, the answer is a clear problem in Chinese, and nothing is half stored."""

import http.client
import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.testclient import TestClient

from models.complaint import WorkOrderIn
from models.problem import Problem
from service.api import faults
from service.app import create_app
from service.errors import problems
from tests.api.conftest import Orders, header, served, settings_for

JSON = {"Content-Type": "application/json"}
CHINESE = re.compile("[\u4e00-\u9fff]")

WHOLE = {"source_system": "s", "source_order_no": "1", "content": "篮球班"}


def refused(desk: TestClient, body: bytes, **headers: str) -> Problem:
    """Both doors refuse this body alike, and nothing is stored."""
    before = desk.get("/v1/changes").json()["next"]
    answers = [desk.post(path, content=body, headers=JSON | headers) for path in ("/v1/cases", "/v1/triage")]
    assert answers[0].status_code == answers[1].status_code
    assert desk.get("/v1/changes").json()["next"] == before
    return problem(answers[0])


def problem(answer: Any) -> Problem:
    """The answer has the one shape of every error."""
    assert answer.headers["content-type"] == "application/problem+json"
    told = Problem.model_validate_json(answer.content, strict=True)
    assert told.status == answer.status_code
    assert told.type == f"urn:fenpai:problem:{told.code}"
    assert told.instance == answer.headers["x-request-id"]
    assert all(CHINESE.search(text) for text in (told.title, told.detail, *(fault.detail for fault in told.errors)))
    return told


class TestBody:
    @pytest.mark.parametrize("body", [b"", b"   \n", b"\xef\xbb\xbf"])
    def test_that_is_empty(self, desk: TestClient, body: bytes) -> None:
        assert refused(desk, body).code == "body_empty"

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            ('{"content": "孩子的篮球班"}'.encode("gbk"), "GBK"),
            ('{"content": "孩子的篮球班"}'.encode("utf-16"), "UTF-16"),
            ('{"content": "x"}'.encode("utf-16-le"), "UTF-16"),
            (b'{"content": "\xff\xfe\xfd"}', "UTF-8"),
            (bytes(range(128, 256)), "UTF-8"),
            (b'{"content": "\xed\xa0\x80"}', "UTF-8"),  # a surrogate, as some systems write it in bytes
        ],
        ids=["gbk", "utf-16", "utf-16 without mark", "binary in a field", "binary", "surrogate"],
    )
    def test_that_is_not_utf8_says_what_to_send(self, desk: TestClient, body: bytes, says: str) -> None:
        told = refused(desk, body)
        assert (told.status, told.code) == (400, "body_not_utf8")
        assert says in told.detail
        assert "UTF-8" in told.detail

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            (b"{", "不完整"),
            (b'{"content": "x"', "不完整"),
            (b'{"content": "a\nb"}', "换行"),
            (b"{'content': 'x'}", "双引号"),
            (b'{"content": "x"} tail', "多余"),
            (b'{"content": "x",}', "逗号"),
            (rb'{"content": "\ud800"}', "代理项"),
            (rb'{"content": "\ud800x"}', "代理项"),
            (rb'{"content": "\udc00"}', "代理项"),
            (rb'{"content": "\q"}', "转义"),
            (b'{"content" "x"}', "冒号"),
            (b'{"content": undefined}', "语法"),
            (b'{"content": tru}', "true"),
            (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "嵌套"),
            (b'{"a": ' + b"9" * 9000 + b"}", "数字"),
            (b'{"a": 01}', "数字"),
            (b"\x00\x01\x02\x03", "UTF-16"),
            (b"--x\r\nContent-Disposition: form-data\r\n", "数字"),
            (b"<order/>", "JSON"),
        ],
    )
    def test_that_is_not_json_says_where_and_why(self, desk: TestClient, body: bytes, says: str) -> None:
        told = refused(desk, body)
        assert told.status == 400
        assert told.code in {"json_broken", "body_not_utf8"}
        assert says in told.detail

    @pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"1", b"true"])
    def test_that_is_no_object(self, desk: TestClient, body: bytes) -> None:
        told = refused(desk, body)
        assert (told.status, told.errors[0].pointer, told.errors[0].code) == (422, "", "wrong_type")

    def test_of_another_media_type(self, desk: TestClient, order: Orders) -> None:
        for media_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", ""):
            told = refused(desk, orjson.dumps(order()), **{"Content-Type": media_type})
            assert (told.status, told.code) == (415, "wrong_media_type")
            assert "application/json" in told.detail

    @pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=GBK"])
    def test_with_any_charset_is_read_as_utf8(self, desk: TestClient, order: Orders, media_type: str) -> None:
        assert desk.post("/v1/cases", content=orjson.dumps(order()), headers={"Content-Type": media_type}).status_code == 201

    def test_that_is_compressed(self, desk: TestClient, order: Orders) -> None:
        assert refused(desk, orjson.dumps(order()), **{"Content-Encoding": "gzip"}).code == "wrong_media_type"

    def test_with_a_byte_order_mark_is_read(self, desk: TestClient, order: Orders) -> None:
        assert desk.post("/v1/cases", content=b"\xef\xbb\xbf" + orjson.dumps(order()), headers=JSON).status_code == 201


class TestSize:
    def test_200_kb_of_content_is_too_long(self, desk: TestClient, order: Orders) -> None:
        told = problem(desk.post("/v1/cases", json=order(content="学" * 200_000)))
        assert (told.status, told.errors[0].pointer, told.errors[0].code) == (422, "/content", "too_long")
        assert "100000" in told.errors[0].detail

    def test_a_body_beyond_the_limit_is_not_read(self, desk: TestClient, order: Orders) -> None:
        told = problem(desk.post("/v1/cases", json=order(content="x" * 1_100_000)))
        assert (told.status, told.code) == (413, "too_large")
        assert "1,000,000" in told.detail

    def test_a_body_that_hides_its_length_is_stopped_at_the_limit(self, desk: TestClient) -> None:
        taken = []

        def endless() -> Any:
            for number in range(10_000):
                taken.append(number)
                yield b"x" * 10_000

        assert problem(desk.post("/v1/cases", content=endless(), headers=JSON)).code == "too_large"

    def test_a_caller_who_sends_first_and_reads_afterwards_hears_that_it_was_too_much(self, sqlite_url: str) -> None:
        with served(create_app(settings_for(sqlite_url))) as address:
            line = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
            line.request("POST", "/v1/cases", body=b"x" * 10_000_000, headers=JSON)
            assert line.getresponse().status == 413
            line.close()

    def test_10000_equal_characters_are_judged(self, desk: TestClient) -> None:
        for sign in ("学", "a", "！", "😀", " ", "球"):
            answer = desk.post("/v1/triage", json={"content": "篮球班" + sign * 10_000 + "退费"})
            assert (answer.status_code, answer.json()["decision"]) == (200, "dispatch"), sign


class TestField:
    def test_an_answer_that_its_question_does_not_have(self, desk: TestClient) -> None:
        sent = {"content": "孩子上的培训班不退费", "answers": {"category": "nothing", "older": "x"}}
        told = problem(desk.post("/v1/triage", json=sent))
        assert [(fault.pointer, fault.code) for fault in told.errors] == [("/answers/category", "not_allowed")]
        assert "letters、ball" in told.errors[0].detail

    @pytest.mark.parametrize(
        ("change", "pointer", "code", "says"),
        [
            ({"content": ""}, "/content", "too_short", "不能为空"),
            ({"content": " \n\t "}, "/content", "too_short", "不能为空"),
            ({"content": 1}, "/content", "wrong_type", "文字"),
            ({"content": None}, "/content", "wrong_type", "文字"),
            ({"content": ["x"]}, "/content", "wrong_type", "文字"),
            ({"content": "a\x00b"}, "/content", "bad_value", "NUL"),
            ({"title": "长" * 501}, "/title", "too_long", "500"),
            ({"colour": "red"}, "/colour", "unknown_field", "没有这个字段。可以写：title、content、"),
            ({"institutoin": "x"}, "/institutoin", "unknown_field", "您是否想写 institution？"),
            ({"a/b~c": 1}, "/a~1b~0c", "unknown_field", "没有这个字段"),
            ({"asserted_scope": "yes"}, "/asserted_scope", "wrong_type", "true"),
            ({"asserted_scope": 1}, "/asserted_scope", "wrong_type", "true"),
            ({"demand_type": "抱怨"}, "/demand_type", "not_allowed", "咨询、求助、投诉、举报、建议、表扬"),
            ({"answers": {"q": 1}}, "/answers/q", "wrong_type", "文字"),
            ({"answers": []}, "/answers", "wrong_type", "对象"),
            ({"answers": {str(n): "x" for n in range(11)}}, "/answers", "too_long", "10"),
            ({"received_at": "2026-11-24T09:00:00"}, "/received_at", "timezone_missing", "时区"),
            ({"received_at": "2026-11-24"}, "/received_at", "bad_time", "时间"),
            ({"received_at": "昨天"}, "/received_at", "bad_time", "时间"),
            ({"received_at": "2026-02-30T09:00:00+08:00"}, "/received_at", "bad_time", "时间"),
            ({"received_at": 1700000000}, "/received_at", "bad_time", "时间"),
            ({"received_at": "1999-01-01T00:00:00+08:00"}, "/received_at", "bad_value", "2000"),
            ({"complainant": {"wechat": "x"}}, "/complainant/wechat", "unknown_field", "没有这个字段"),
            ({"complainant": {"phone": 13812345678}}, "/complainant/phone", "wrong_type", "文字"),
            ({"complainant": "王某"}, "/complainant", "wrong_type", "对象"),
            ({"attachments": "x"}, "/attachments", "wrong_type", "数组"),
            ({"attachments": ["x"] * 51}, "/attachments", "too_long", "50"),
            ({"attachments": ["x", 2]}, "/attachments/1", "wrong_type", "文字"),
            ({"extra": []}, "/extra", "wrong_type", "对象"),
            ({"source_order_no": "9" * 65}, "/source_order_no", "too_long", "64"),
            ({"source_system": ""}, "/source_system", "too_short", "不能为空"),
        ],
    )
    def test_that_is_wrong_is_named_and_explained(
        self, desk: TestClient, order: Orders, change: dict[str, Any], pointer: str, code: str, says: str
    ) -> None:
        told = problem(desk.post("/v1/cases", content=orjson.dumps(order() | change), headers=JSON))
        assert (told.status, told.code) == (422, "invalid")
        assert [(fault.pointer, fault.code) for fault in told.errors] == [(pointer, code)] or code == "bad_time"
        assert (told.errors[0].pointer, says in told.errors[0].detail) == (pointer, True)

    def test_that_is_missing_is_named(self, desk: TestClient) -> None:
        told = problem(desk.post("/v1/cases", json={}))
        assert {fault.pointer for fault in told.errors if fault.code == "missing"} == {"/content", "/source_system", "/source_order_no"}

    def test_is_never_echoed(self, desk: TestClient, order: Orders) -> None:
        secret = "13812345678"
        for change in ({"content": [secret]}, {"complainant": {"phone": int(secret)}}, {"demand_type": secret}, {"received_at": secret}):
            assert secret not in desk.post("/v1/cases", json=order() | change).text

    def test_no_number_of_faults_makes_a_long_answer(self, desk: TestClient, order: Orders) -> None:
        answer = desk.post("/v1/cases", json=order() | {f"{'x' * 300}{n}": n for n in range(2000)})
        assert (len(problem(answer).errors), len(answer.content) < 30_000) == (faults.SHOWN, True)
        assert "2000" in problem(answer).detail

    @pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
    def test_that_json_has_no_number_for(self, desk: TestClient, order: Orders, value: bytes) -> None:
        body = orjson.dumps(order(extra={"n": "?"})).replace(b'"?"', value)
        told = problem(desk.post("/v1/cases", content=body, headers=JSON))
        assert (told.status, [(fault.pointer, fault.code) for fault in told.errors]) == (422, [("/extra", "out_of_range")])

    def test_of_the_sender_is_kept_as_it_is(self, desk: TestClient, order: Orders) -> None:
        extra = {"big": 123456789012345678901234567890, "small": 1.5, "none": None, "nested": [{"k": "a\x00b"}], "文": "字", "": True}
        body = orjson.dumps(order(extra={"?": 0})).replace(b'{"?":0}', _json(extra))
        case = desk.post("/v1/cases", content=body, headers=JSON).json()
        assert desk.get(f"/v1/cases/{case['id']}").json()["details"]["extra"] == extra


def _json(value: dict[str, Any]) -> bytes:
    rest = {name: inner for name, inner in value.items() if name != "big"}
    return orjson.dumps(rest).replace(b"{", b'{"big":' + str(value["big"]).encode() + b",", 1)


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from([*WorkOrderIn.model_fields, "other"])


def mistakes(body: bytes) -> list[Any]:
    """What pydantic finds wrong with an order."""
    try:
        WorkOrderIn.model_validate_json(body, strict=True)
    except ValidationError as error:
        return list(error.errors())
    return []


class TestAnything:
    @given(st.dictionaries(FIELDS, JSONS, max_size=6))
    @settings(max_examples=400, deadline=None)
    def test_that_pydantic_refuses_is_told_in_our_words(self, body: dict[str, Any]) -> None:
        """No mistake falls back to the general "不合要求"."""
        found = mistakes(orjson.dumps(WHOLE | body))
        assert {fault["type"] for fault in found} <= set(faults.TOLD)
        assert all(CHINESE.search(fault.detail) for fault in faults.told(found))

    @given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_in_bytes_gets_a_problem(self, desk: TestClient, body: bytes) -> None:
        assert problem(desk.post("/v1/cases", content=body, headers=JSON)).status in {400, 422}


class TestAddress:
    @pytest.mark.parametrize("path", ["/v1", "/v2/cases", "/v1/cases/", "/v1/cases/x/y", "/favicon.ico", "/v1/cases/%00", "/v1/案件"])
    def test_that_leads_nowhere(self, desk: TestClient, path: str) -> None:
        told = problem(desk.get(path))
        assert (told.status, told.code) == (404, "route_not_found")

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("DELETE", "/v1/cases", "GET, POST"),
            ("GET", "/v1/triage", "POST"),
            ("PUT", "/v1/cases/01K", "GET"),
            ("PUT", "/v1/cases/batch", "POST"),
            ("POST", "/healthz", "GET"),
            ("BREW", "/v1/changes", "GET"),
        ],
    )
    def test_with_another_method_says_which_are_allowed(self, desk: TestClient, method: str, path: str, allowed: str) -> None:
        answer = desk.request(method, path)
        assert (problem(answer).status, answer.headers["allow"]) == (405, allowed)


class TestRequestNumber:
    def test_of_the_caller_comes_back(self, desk: TestClient) -> None:
        answer = desk.get("/nowhere", headers={"X-Request-Id": "hotline-2026.1:7"})
        assert (answer.headers["x-request-id"], problem(answer).instance) == ("hotline-2026.1:7", "hotline-2026.1:7")

    @pytest.mark.parametrize("number", ["", "a b", "x" * 65, "<script>", "编号".encode(), 'a"b'])
    def test_that_is_not_sane_is_replaced(self, desk: TestClient, number: str | bytes) -> None:
        answer = desk.get("/healthz", headers=header("X-Request-Id", number))
        assert re.fullmatch("[a-z]{16}", answer.headers["x-request-id"])

    def test_is_each_time_another(self, desk: TestClient) -> None:
        assert len({desk.get("/healthz").headers["x-request-id"] for _ in range(20)}) == 20


class TestTableOfCodes:
    def test_names_each_error_once(self) -> None:
        codes = [kind.code for kind in problems()]
        assert len(codes) == len(set(codes))

    def test_says_each_in_chinese(self) -> None:
        for kind in problems():
            assert CHINESE.search(kind.title), kind
            assert CHINESE.search(kind.__doc__ or ""), kind


class TestUnexpected:
    def test_fault_leaks_nothing_and_names_the_place_in_the_log(
        self, desk: TestClient, paper: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("secret 13812345678")

        monkeypatch.setattr("service.store.get_case", broken)
        told = problem(desk.get("/v1/cases/01K"))
        assert (told.status, told.code) == (500, "internal")
        assert "secret" not in told.model_dump_json()
        assert not [line for line in paper() if "secret" in str(line)]
