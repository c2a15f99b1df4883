"""/console: the built pages of the console, as files. All they do goes through the public API; no page is made here.

Each page carries a nonce of its own for the styles that the editor makes, so that nothing else may put styles or scripts into it.
"""

import re
import secrets
from mimetypes import guess_type
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

DIST = Path(__file__).parents[1] / "console" / "dist"
NONCE = "__NONCE__"
ASSET = r"[\w.-]+"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""style-src-attr: charts set the style of the little window at the pointer; an attribute cannot load or run anything."""
MISSING = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>分派：没有控制台</title>
<h1>这次安装不带网页控制台</h1>
<p>服务和接口照常可用，接口说明见 <a href="/docs">/docs</a>。</p>
<p>要有控制台：去掉环境变量 <code>FENPAI_SKIP_CONSOLE</code>，在源码目录重新安装
（<code>make setup</code> 或 <code>pip install .</code>，需要能访问 npm 源），再重启服务。</p></html>"""


class Assets(StaticFiles):
    """Their names hold a digest of what is in them, so a browser may keep them for good. The build has packed them: a third goes out."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        packed = DIST / "assets" / f"{path}.gz"
        wanted = scope["method"] in {"GET", "HEAD"} and b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b"")
        if wanted and re.fullmatch(ASSET, path) and packed.is_file():
            response: Response = FileResponse(packed, media_type=guess_type(path)[0], headers={"content-encoding": "gzip"})
        else:
            response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        response.headers["vary"] = "accept-encoding"
        return response


def furnish(app: FastAPI) -> None:
    """Put the console into the house, or the page that says how to build it."""
    if (DIST / "assets").is_dir():
        app.router.routes.append(Mount("/console/assets", Assets(directory=DIST / "assets")))
    app.router.routes.append(Route("/", _hall))
    app.router.routes.append(Route("/console", _hall))
    app.router.routes.append(Route("/console/{path:path}", _page))


async def _hall(_request: Request) -> Response:
    return RedirectResponse("/console/", status_code=307)


async def _page(request: Request) -> Response:
    """One page for all addresses below /console: which view it shows is the browser's affair."""
    path = request.path_params["path"]
    if path == "mark.svg" and (DIST / path).is_file():
        return Response((DIST / path).read_bytes(), media_type="image/svg+xml")
    page = DIST / "index.html"
    if not page.is_file():
        return HTMLResponse(MISSING, status_code=404)
    nonce = secrets.token_urlsafe(16)
    text = page.read_text(encoding="utf-8").replace(NONCE, nonce)
    return HTMLResponse(text, headers={"content-security-policy": POLICY.format(nonce=nonce), "cache-control": "no-cache"})
