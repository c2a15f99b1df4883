"""Traces: a collector hears of each request by its route and its codes, and of nothing that anybody wrote."""

from pathlib import Path

from service.app import create_app
from tests.api.conftest import Orders, opened, settings_for
from tests.api.test_access import bearer, mint

NAME, PHONE = "欧阳标记", "13900007788"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def test_tell_routes_and_codes_and_nobodys_words(tmp_path: Path, order: Orders, collector: tuple[str, list[bytes]]) -> None:
    endpoint, heard = collector
    with opened(create_app(settings_for(f"sqlite:///{tmp_path}/fenpai.db", otel_endpoint=endpoint))) as house:
        admin = bearer(mint(house, "admin")["key"])
        body = order(content=f"{NAME}电话{PHONE}", complainant={"name": NAME, "phone": PHONE})
        house.post("/v1/cases", json=body, headers=admin | {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}).raise_for_status()
        house.get(f"/v1/cases/{NAME}{PHONE}", headers=admin)
        house.get(f"/v1/cases?street={PHONE}", headers=admin)
        house.get("/healthz")
    whole = b"".join(heard)
    assert b"POST /v1/cases" in whole
    assert b"/v1/cases/{case_id}" in whole
    assert b"case_not_found" in whole
    assert bytes.fromhex(TRACE) in whole
    assert b"healthz" not in whole
    assert not [mark for mark in (NAME.encode(), PHONE.encode(), admin["Authorization"].encode()) if mark in whole]


def test_that_nobody_takes_disturb_nobody(tmp_path: Path) -> None:
    with opened(create_app(settings_for(f"sqlite:///{tmp_path}/fenpai.db", otel_endpoint="http://127.0.0.1:1/v1/traces"))) as house:
        assert house.get("/v1/departments").status_code == 200
