"""The wiring: settings become a database, a writer, a rule set in force, and an app with all its doors."""

import asyncio
import errno
import gc
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from importlib import import_module
from importlib.metadata import version
from typing import Any, cast

import structlog
import uvicorn
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi_standalone_docs import StandaloneDocs
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from service import active, db, intake, log, register, rulebook, store
from service.api import (
    access,
    accesskeys,
    audit,
    batch,
    casefile,
    cases,
    changes,
    channels,
    clocks,
    console,
    deliveries,
    departments,
    document,
    drafts,
    health,
    incidents,
    institutions,
    ledger,
    longwork,
    mending,
    moves,
    problems,
    rulesets,
    session,
    shadow,
    signon,
    similar,
    stats,
    triage,
    trials,
    unmask,
    vocabulary,
)
from service.api.bell import Bell
from service.api.deps import Office, Reads
from service.api.guesses import Guesses
from service.api.jobs import Jobs
from service.api.meters import Meters, Traces
from service.api.plain import PlainRoute
from service.api.porter import Porter
from service.api.workshop import Workshop
from service.casework import Casework, Clockwork, Handbook, Now
from service.channels import Channels
from service.config import Settings, is_loopback
from service.dispatcher import Dispatcher, Pace
from service.errands import errands
from service.errors import ListenFailed, OpenDoor, SettingsInvalid
from service.impatience import Impatient
from service.incidents import Sorter
from service.keyring import Keyring, Tokens
from service.sessions import Sessions
from service.shadow import Follower
from service.signon import SignOn
from service.store import NewCase, Outcome
from service.throttle import Throttle
from service.vault import Vault
from service.warden import Warden
from service.watch import House, Watch
from service.writer import Writer

ROUTERS = (
    cases.intake,
    triage.router,
    changes.router,
    batch.router,
    casefile.router,
    cases.router,
    similar.router,
    unmask.router,
    moves.router,
    incidents.router,
    stats.router,
    incidents.duplicates,
    clocks.router,
    departments.router,
    vocabulary.router,
    channels.router,
    channels.overview,
    deliveries.router,
    rulesets.router,
    shadow.router,
    mending.router,
    ledger.router,
    drafts.router,
    trials.router,
    longwork.router,
    institutions.router,
    accesskeys.router,
    session.router,
    signon.router,
    audit.router,
    health.router,
)
"""The busiest first: they are tried in this order."""

RATE_SECONDS = 60

DESCRIPTION = """把 12345 热线关于校外培训的诉求分派给主管单位，并逐条说明理由。

- 时间都带时区；答复中的时间为北京时间。请求体用 UTF-8 编码的 JSON，未知字段一律拒绝。
- 每个请求都要带接口钥匙：`Authorization: Bearer 钥匙`。钥匙有权限之分，单位的钥匙只看得到本单位主办、协办的案件。
- 出错时答复 `application/problem+json`（RFC 9457）：`code` 是稳定的英文代码，`detail` 说明错在哪里、怎样改，
  `errors` 逐个字段说明，`instance` 是请求编号。
- 请求可带 `X-Request-Id` 自定编号，答复原样带回；不带则由本服务编一个。
"""

TAGS = [
    {"name": "研判", "description": "只研判，不保存"},
    {"name": "案件", "description": "受理工单，查询案件"},
    {"name": "办理", "description": "案件的签收、退单、改派、答复、办结等动作"},
    {"name": "群体事件", "description": "多件诉求反映同一家机构的群体事件，疑似重复的案件"},
    {"name": "统计", "description": "一段时间的件数、比例和区间"},
    {"name": "期限", "description": "试算期限"},
    {"name": "送达", "description": "单位的通道，送到对方系统的消息"},
    {"name": "变更", "description": "有序的变更流，供轮询"},
    {"name": "规则", "description": "在用的规则集与单位"},
    {"name": "名录", "description": "机构名录：查询、导入、导出"},
    {"name": "钥匙", "description": "接口钥匙：发放、更换、吊销"},
    {"name": "审计", "description": "审计链：查询、核对、导出"},
    {"name": "登录", "description": "管理台的登录与退出"},
    {"name": "运行", "description": "供监控程序使用"},
]


def create_app(settings: Settings, now: Now = store.now) -> FastAPI:
    """The app of these settings; nothing is opened before its lifespan begins. `now` is what time it is for casework."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_office(settings, now) as app.state.office:
            yield

    app = FastAPI(
        title="分派 fenpai",
        version=version("fenpai"),
        summary="可解释的投诉分派",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # it would send queries out, and asks at each request whether to
        redirect_slashes=False,
    )
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    problems.handle_problems(app)
    # Put in flat: FastAPI's include_router would match every request twice.
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
    access.guard(app)
    StandaloneDocs(app)
    console.furnish(app)
    app.middleware_stack = _behind(settings, Porter(app.build_middleware_stack(), _doors(app)))
    return app


def _behind(settings: Settings, porter: Porter) -> ASGIApp:
    """Those who come through a proxy of ours come from where it says; what anybody else says of that is not heard."""
    return cast(ASGIApp, ProxyHeadersMiddleware(cast(Any, porter), list(settings.proxies))) if settings.proxies else porter


def _doors(app: FastAPI) -> dict[tuple[str, str], APIRoute]:
    """The plain routes, where the porter finds them."""
    routes = [route for route in app.routes if isinstance(route, PlainRoute)]
    return {(method, route.path): route for route in routes for method in route.methods or ()}


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = document.build(app)
    return app.openapi_schema


def openapi() -> str:
    """The text of openapi.yaml."""
    return document.as_yaml(create_app(Settings.from_env({})).openapi())


# Opening and closing --------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def open_office(settings: Settings, now: Now = store.now) -> AsyncIterator[Office]:
    """Open everything, in the order in which one needs the other, and close it in the reverse. A StartError says why not."""
    async with AsyncExitStack() as stack:
        database = db.connect(settings.database_url)
        stack.callback(database.close)
        await asyncio.to_thread(db.prepare, database)
        vault = Vault.of(database, settings.keys)
        writer = Writer(database)
        writer.start()
        stack.push_async_callback(writer.stop)
        await writer.submit(lambda conn: store.bind_data_key(conn, vault.fingerprints))
        rules = await active.take_up(database, writer, settings.folder)
        stack.callback(rules.close)
        office = _furnish(settings, database, writer, rules, vault, now)
        stack.callback(office.reads.close)
        if office.traces is not None:
            stack.push_async_callback(asyncio.to_thread, office.traces.close)
        stack.callback(office.keyring.close)
        if office.sign_on is not None:
            stack.push_async_callback(office.sign_on.close)
        stack.callback(office.workshop.close)
        stack.callback(office.follower.close)
        await office.jobs.open()
        stack.push_async_callback(office.jobs.close)
        stack.push_async_callback(office.channels.close)
        await office.register.follow()
        await office.keyring.look()
        sorter = _sorter(office)
        await sorter.begin()
        office.dispatcher.start()
        stack.push_async_callback(office.dispatcher.stop)
        beside = [
            rules.watch(),
            office.register.watch(),
            office.bell.watch(),
            office.warden.watch(),
            office.keyring.watch(),
            office.follower.watch(),
            _clockwork(office).run(),
            sorter.run(),
        ]
        await stack.enter_async_context(errands(*beside, *([office.watch.run()] if office.watch else [])))
        stack.callback(office.bell.close)
        _announce(office)
        yield office


def _furnish(settings: Settings, database: db.Database, writer: Writer, rules: active.ActiveRules, vault: Vault, now: Now) -> Office:
    reads, meters, names = Reads(database), Meters(), register.ActiveRegister(database, rules)
    terms = Handbook(lambda: rules.engine.ruleset)
    desk = intake.Desk(meters.timed(lambda complaint: rules.engine.triage(names.look_up(complaint))), terms, _keeper(writer, meters), vault)
    bell = Bell(lambda: reads(store.feed_head))
    meters.show_rules(rules)
    meters.show_register(names)
    meters.watch("fenpai_writer_waiting", "等待写入的件数", lambda: writer.waiting)
    meters.watch("fenpai_pollers_waiting", "等待变更的轮询数", lambda: bell.waiting)
    sender = Channels(seconds=settings.delivery_timeout, private=settings.private_targets)
    dispatcher = Dispatcher(database, writer, vault, sender, Pace.of(settings), meters, now)
    bell.listeners.append(dispatcher.wake)
    meters.show_outbox(dispatcher)
    casework, warden, watch = Casework(writer, terms, now), Warden(database, writer, rules), _watch(settings, database, writer, rules)
    meters.show_warden(rules, warden)
    meters.show_watch(watch)
    follower = Follower(database, writer, lambda: rules.row.pack, now)
    meters.watch("fenpai_shadow_trouble", "1 表示影子运行出错", lambda: float(follower.trouble is not None))
    keyring = Keyring(database)
    idle, longest = timedelta(minutes=settings.session_idle), timedelta(hours=settings.session_hours)
    rates = Throttle(settings.rate, RATE_SECONDS, often=True) if settings.rate else None
    tokens = _tokens(settings)
    signed_in = Sessions(reads, writer, keyring, tokens, idle, longest)
    sign_on = SignOn(settings, tokens, writer, signed_in) if tokens and settings.oidc_client else None
    doors = keyring, tokens, signed_in, sign_on, rates, Guesses(writer, meters, settings.wrong_keys)
    benches = Workshop(), Jobs(database, writer), *doors, _traces(settings), warden, follower, watch
    return Office(settings, database, writer, rules, names, desk, reads, bell, meters, casework, vault, sender, dispatcher, *benches)


def _tokens(settings: Settings) -> Tokens | None:
    """Who reads tokens of a sign-on; looked up by name, for it stands on an extra that few install."""
    if not settings.oidc_jwks and not settings.oidc_client:
        return None
    try:
        found: Tokens = import_module("service.oidc").Tokens(settings)
    except ModuleNotFoundError as missing:
        raise SettingsInvalid(
            "设了 FENPAI_OIDC_JWKS 或 FENPAI_OIDC_CLIENT，而没有装 joserfc：请用 pip install 'fenpai[oidc]'。"
        ) from missing
    return found


def _traces(settings: Settings) -> Traces | None:
    if not settings.otel_endpoint:
        return None
    try:
        found: Traces = import_module("service.tracing").Traces(settings.otel_endpoint)
    except ModuleNotFoundError as missing:
        raise SettingsInvalid("设了 FENPAI_OTEL_ENDPOINT，而没有装 OpenTelemetry：请用 pip install 'fenpai[otel]'。") from missing
    return found


def _watch(settings: Settings, database: db.Database, writer: Writer, rules: active.ActiveRules) -> Watch | None:
    if not settings.rules_dir:
        return None
    return Watch(rulebook.find_pack(settings.rules_dir), House(database, writer, rules, settings.second_person))


def _clockwork(office: Office) -> Clockwork:
    clockwork = Clockwork(office.reads, office.writer, office.casework.terms, office.casework.now, office.bell.ring)
    office.meters.show_clocks(clockwork)
    return clockwork


def _sorter(office: Office) -> Sorter:
    return Sorter(office.reads, office.writer, lambda: office.rules.engine, office.casework.terms, office.casework.now, office.bell.ring)


def _keeper(writer: Writer, meters: Meters) -> Callable[[NewCase], Any]:
    """Keeps a case by the writer; those that wait together are inserted together."""

    def insert(conn: Any, new: Sequence[NewCase]) -> list[Outcome]:
        meters.committed(len(new))
        return store.insert_cases(conn, new)

    return lambda case: writer.submit_item(insert, case)


def _announce(office: Office) -> None:
    row = office.rules.row
    structlog.get_logger().info(
        "open", version=version("fenpai"), database=office.database.dialect, pack=row.pack, ruleset=row.version, digest=row.digest
    )


@contextmanager
def settled() -> Iterator[None]:
    """Tune the interpreter for serving, once everything that stays has been built.

    The collector passes over what stays (dictionaries, rules, models): pauses of 70 ms become 10 ms. And the threads take
    turns more often: the event loop would wait up to 5 ms for the writer's thread.
    """
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    sys.setswitchinterval(0.0005)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)
        gc.unfreeze()


# Serving --------------------------------------------------------------------------------------------------------------------------


Opened = Callable[[str, bool], None]
"""Hears the address at which requests are taken, and whether they need a key."""


def serve(settings: Settings, opened: Opened | None = None) -> None:
    """Serve until told to stop; a StartError says why no requests are taken."""
    paper = log.configure(settings.log_level)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        lifespan="off",  # we open and close around the server: a StartError must reach the command line as it is
        log_config=None,
        access_log=False,
        http=Impatient,
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=20,
    )
    with _listening(settings.host, settings.port) as door, asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(app, settings, _Server(config, app, opened), door, paper))


async def _serve(app: FastAPI, settings: Settings, server: "_Server", door: socket.socket, paper: log.Paper) -> None:
    async with open_office(settings) as app.state.office, errands(paper.turn()):
        _check_door(settings, app.state.office)
        with settled():
            await server.serve([door])


def _check_door(settings: Settings, office: Office) -> None:
    """Beyond this machine nobody comes in without a key; so there must be one."""
    if not is_loopback(settings.host) and not office.keyring.locked and office.tokens is None:
        raise OpenDoor(
            f"FENPAI_HOST={settings.host} 会让其他机器也能访问，而数据库里还没有接口钥匙。"
            "请先发一把：fenpai keys create --name 管理员 --scope admin；或只监听本机：FENPAI_HOST=127.0.0.1。"
        )


class _Server(uvicorn.Server):
    """uvicorn's server, but those who wait for a change are sent home first, and a signal only ends the serving."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, opened: Opened | None) -> None:
        super().__init__(config)
        self._app = app
        self._opened = opened

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._opened and sockets:
            self._opened(_address(sockets[0]), self._app.state.office.keyring.locked)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.office.bell.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises the signal again at the end, which would kill us before the writer has closed.
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ListenFailed(f"无法监听 {host}:{port}：{_REASONS.get(error.errno or 0, error.strerror)}。") from error


_REASONS = {
    errno.EADDRINUSE: "端口已被占用，fenpai 可能已在运行；也可用 FENPAI_PORT 换一个端口",
    errno.EACCES: "没有权限，1024 以下的端口需要管理员权限",
    errno.EADDRNOTAVAIL: "本机没有这个地址，请检查 FENPAI_HOST",
}


def _address(door: socket.socket) -> str:
    host, port = door.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
