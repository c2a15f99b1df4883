"""/v1/keys: API keys are made, listed, exchanged and revoked, by administrators."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from models.access import DEPARTMENT, OF_DEPARTMENT, KeyIn, KeyList, KeyMade, KeyTold, RotateIn
from service import keyring, store
from service.api import responses, told
from service.api.access import caller
from service.api.bodies import read_json
from service.api.deps import MAX_NAME, Office, Reading, WholeOffice, written
from service.api.plain import Json, body_of, door, validated
from service.errors import AccessKeyNotFound, FieldFault, Invalid
from service.keyring import LEASE, By, Made
from service.store import KeyRow

router = door("/v1/keys", "钥匙")

KeyId = Annotated[str, Path(description="钥匙编号")]
AT_THIS_MACHINE = "本机，还没有钥匙"
UNSEEN = {"Cache-Control": "no-store"}


@router.post(
    "",
    status_code=201,
    summary="发钥匙",
    response_model=KeyMade,
    response_description="新钥匙；钥匙本身只在这里给出一次",
    responses=responses.problems(*responses.BODY, *responses.WRITE),
    openapi_extra=body_of(KeyIn),
)
async def create_key(request: Request, here: WholeOffice) -> Response:
    """发一把新钥匙。库里只存它的 SHA-256，丢了只能换。第一把钥匙发出之后，所有请求都要带钥匙。"""
    given = validated(KeyIn, await read_json(request, here.settings.max_case_bytes))
    _check_department(given, here)
    by = _by(request)
    made = await here.writer.submit(lambda conn: keyring.create(conn, given.name, given.scopes, given.days, by))
    await _known_everywhere(here)
    return Json(_made(made), 201, headers=UNSEEN)


@router.get(
    "",
    summary="列出钥匙",
    response_model=KeyList,
    response_description="全部钥匙，也包括失效的",
    responses=responses.problems(*responses.READ),
)
async def list_keys(reads: Reading) -> Response:
    """全部钥匙，新的在前：谁用、能做什么、何时失效。不含钥匙本身。"""
    return Json({"keys": [_told(row) for row in await reads(store.list_api_keys)]})


@router.post(
    "/{key_id}/rotate",
    status_code=201,
    summary="换钥匙",
    response_model=KeyMade,
    response_description="接替的新钥匙",
    responses=responses.problems(AccessKeyNotFound, *responses.BODY, *responses.WRITE),
    openapi_extra=body_of(RotateIn),
)
async def rotate_key(key_id: KeyId, request: Request, here: WholeOffice) -> Response:
    """发一把权限相同的新钥匙；旧的在 `overlap_hours` 之内仍可用，好让各处换上新的。"""
    given, by = validated(RotateIn, await read_json(request, here.settings.max_case_bytes)), _by(request)
    overlap = timedelta(hours=given.overlap_hours)
    made = await here.writer.submit(lambda conn: keyring.rotate(conn, key_id, overlap, given.days, by))
    await _known_everywhere(here)
    return Json(_made(made), 201, headers=UNSEEN)


@router.post(
    "/{key_id}/revoke",
    summary="吊销钥匙",
    response_model=KeyTold,
    response_description="已吊销",
    responses=responses.problems(AccessKeyNotFound, *responses.WRITE),
)
async def revoke_key(key_id: KeyId, request: Request, here: WholeOffice) -> Response:
    """立即吊销：答复发出时，任何一个副本都不再认这把钥匙。"""
    by = _by(request)
    row = await here.writer.submit(lambda conn: keyring.revoke(conn, key_id, by))
    await _known_everywhere(here)
    return Json(_told(row))


async def _known_everywhere(here: Office) -> None:
    """Return when no replica believes any more in how it was before. On SQLite there is none but this."""
    await here.keyring.look()
    if here.database.dialect != "sqlite":
        await asyncio.sleep(LEASE)


def _by(request: Request) -> By:
    """Who does this. Before the first key there is none that could vouch: the name they give, and that they sat at this machine."""
    who = caller(request.scope)
    if who.key is not None:
        return By(who.name, who.key)
    given = written(request.headers.get("x-fenpai-actor"))[:MAX_NAME]
    return By(f"{given}（{AT_THIS_MACHINE}）" if given else AT_THIS_MACHINE)


def _check_department(given: KeyIn, here: Office) -> None:
    known = here.casework.terms().departments
    for place, scope in enumerate(given.scopes):
        code = scope.removeprefix(OF_DEPARTMENT)
        if scope.startswith(OF_DEPARTMENT) and code not in known:
            fault = FieldFault(f"/scopes/{place}", f"没有 {code} 这个单位，只能是 {'、'.join(known)}", f"unknown_{DEPARTMENT}")
            raise Invalid(faults=[fault])


def _made(made: Made) -> dict[str, Any]:
    return _told(made.row) | {"key": made.key}


def _told(row: KeyRow) -> dict[str, Any]:
    moments = {name: getattr(row, name) and told.local(getattr(row, name)) for name in ("created_at", "expires_at", "revoked_at")}
    same = {name: getattr(row, name) for name in ("id", "name", "scopes", "created_by", "replaced_by")}
    return {**same, **moments, "live": keyring.is_live(row, datetime.now(UTC))}
