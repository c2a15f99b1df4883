"""A district's sign-on of the tests: a real HTTP server that speaks OIDC as far as a log-in needs, and lies when it is told to."""

import threading
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from time import time
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "fenpai-console", "s3cret/of:the client"


class Provider:
    """Lets everybody in as `person`. `lies`: claims that its tokens have instead, `published`: what its document says instead."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key: Any = ECKey.generate_key("P-256", {"kid": "one"})
        self.person: dict[str, Any] = {"sub": "u-7", "name": "王科长", "roles": ["rexian"]}
        self.redirect_uri = ""
        self.calm()

    def calm(self) -> None:
        """Speak the truth again."""
        self.lies: dict[str, Any] = {}
        self.published: dict[str, Any] = {}
        self.signs_with: Any = None
        self.is_down = False
        self._codes: dict[str, dict[str, str]] = {}

    def discovery(self) -> dict[str, Any]:
        places = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
        whole = {"issuer": self.url, **{name: self.url + path for name, path in places.items()}}
        return whole | {"authorization_response_iss_parameter_supported": True} | self.published

    def jwks(self) -> dict[str, Any]:
        return {"keys": [self.key.as_dict(private=False)]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to. Only the address that was registered is sent to."""
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        assert asked["redirect_uri"] == self.redirect_uri
        code = token_urlsafe(16)
        self._codes[code] = asked
        return f"{self.redirect_uri}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.url})}"

    def back(self, location: str) -> dict[str, str]:
        """What the browser that is sent to this place comes back with."""
        asked = dict(parse_qsl(urlsplit(location).query))
        return dict(parse_qsl(urlsplit(self.authorize(asked)).query))

    def token(self, form: dict[str, str], who: str) -> tuple[int, dict[str, Any]]:
        """An id_token for a code, once, and for the verifier of the one who asked."""
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if (
            who != f"{CLIENT}:{SECRET}"
            or asked is None
            or form["redirect_uri"] != self.redirect_uri
            or asked["code_challenge"] != challenge
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **self.person, **self.lies}
        told = {name: value for name, value in claims.items() if value is not None}
        signed = jwt.encode({"alg": "ES256", "kid": "one"}, told, self.signs_with or self.key, algorithms=["ES256"])
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": signed}


@contextmanager
def provider(host: str = "127.0.0.1") -> Iterator[Provider]:
    """The sign-on, listening. `host`: what this machine is called there; by another name than ours it is another site to a browser."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place = urlsplit(self.path)
            if found.is_down:
                self._say(500, b"<html>down</html>")
            elif place.path == "/authorize":
                self._say(302, b"", Location=found.authorize(dict(parse_qsl(place.query))))
            else:
                self._say(200, orjson.dumps(found.jwks() if place.path == "/jwks" else found.discovery()))

        def do_POST(self) -> None:
            form = dict(parse_qsl(self.rfile.read(int(self.headers["content-length"])).decode()))
            basic = b64decode(self.headers["authorization"].removeprefix("Basic ")).decode()
            status, told = found.token(form, ":".join(map(unquote, basic.split(":"))))
            self._say(status, orjson.dumps(told))

        def _say(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Provider(f"http://{host}:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
