"""The sender by itself: whom it speaks to, for how long, what it makes of answers; and what is hidden in texts."""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from standardwebhooks import Webhook

from service.channels import INSIDE, Answer, Channels, Letter, new_secret, retry_after, signed
from service.masks import masked
from service.store.letters import discreet, without
from tests.outbox.receiver import Receiver, Reply

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def send(url: str, secret: str, *, private: bool = True, seconds: float = 1.0) -> Answer:
    async def once() -> Answer:
        channels = Channels(seconds=seconds, private=private)
        try:
            return await channels.send(Letter("id-1", url, secret, '{"text":"收下"}'))
        finally:
            await channels.close()

    return asyncio.run(once())


class TestAddresses:
    def test_are_checked_where_the_connection_goes_not_where_the_name_led_before(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A name that is public when it is looked at and leads inside a moment later (DNS rebinding)."""
        with Receiver().open() as receiver:
            answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1"])
            asked: list[str] = []

            async def fickle(_loop: Any, host: str, port: int, **_: Any) -> list[Any]:
                asked.append(host)
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

            monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", fickle)
            answer = send(f"http://fickle.example:{receiver.port}/x", receiver.secret, private=False, seconds=0.5)
            # Resolved once, for the check and the connection alike: it goes to the public address, and never to ours.
            assert answer.status is None
            assert asked == ["fickle.example"]
            assert receiver.got == []
            assert send(f"http://fickle.example:{receiver.port}/x", receiver.secret, private=False).trouble == INSIDE

    def test_keep_the_name_in_the_host_header(self) -> None:
        with Receiver().open() as receiver:
            assert send(f"http://localhost:{receiver.port}/x", receiver.secret).taken
            assert receiver.got[0].headers["Host"] == f"localhost:{receiver.port}"

    @pytest.mark.parametrize(("host", "trouble"), [("localhost", ""), ("127.0.0.1", "证书不对")])
    def test_keep_the_name_for_the_certificate(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, trouble: str) -> None:
        """The connection goes to an address, the certificate is that of the name, from an authority that the machine was told of."""
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path)))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
        names: list[str | None] = []
        context.sni_callback = lambda _socket, name, _context: names.append(name)
        receiver = Receiver()
        receiver.speak_tls(context)
        with receiver.open():
            assert send(f"https://{host}:{receiver.port}/x", receiver.secret).trouble == trouble
        assert names == [host if host == "localhost" else None]

    def test_that_are_no_names_are_told(self) -> None:
        assert send("http://does-not-exist.invalid/x", new_secret()).trouble == "域名无法解析"

    def test_where_nobody_listens_are_told(self) -> None:
        assert send("http://127.0.0.1:1/x", new_secret()).trouble == "连接不上"

    def test_that_speak_no_tls_are_told(self) -> None:
        with Receiver().open() as receiver:
            assert send(f"https://127.0.0.1:{receiver.port}/x", receiver.secret).trouble == "证书不对"


def certificate(folder: Path) -> Path:
    """A certificate of its own authority, for the name localhost alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    signed_by_itself = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(key, hashes.SHA256())
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*plain))
    (folder / "cert.pem").write_bytes(signed_by_itself.public_bytes(serialization.Encoding.PEM))
    return folder / "cert.pem"


class TestAnswers:
    def test_that_trickle_in_are_not_waited_for(self) -> None:
        assert_short(_trickle)

    def test_without_end_are_hung_up_on(self) -> None:
        assert_short(_endless)

    def test_of_a_redirect_are_not_followed(self) -> None:
        with Receiver().open() as other, Receiver(lambda *_: Reply(302, {"Location": other.url})).open() as receiver:
            answer = send(receiver.url, receiver.secret)
        assert (answer.taken, answer.status, other.got) == (False, 302, [])

    def test_are_shown_without_what_cannot_be_stored(self) -> None:
        with Receiver(lambda *_: Reply(500, body=b"a\x00b\xffc\n" + b"x" * 5000)).open() as receiver:
            answer = send(receiver.url, receiver.secret)
        assert answer.excerpt.startswith("a b�c x")
        assert len(answer.excerpt) == 300


async def _trickle(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.1)


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        await writer.drain()


def assert_short(answering: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> None:
    """Whatever a receiver does, a sending ends in time."""

    async def main() -> float:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            try:
                await answering(writer)
            except OSError:
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        channels = Channels(seconds=0.5, private=True)
        began = time.monotonic()
        await channels.send(Letter("id", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", new_secret(), "{}"))
        took = time.monotonic() - began
        await channels.close()
        server.close()
        return took

    assert asyncio.run(main()) < 3


class TestTheSignature:
    def test_is_verified_by_the_public_library_and_by_no_other_secret(self) -> None:
        letter = Letter("id-1", "http://x", new_secret(), '{"text":"收下"}')
        headers = signed(letter, datetime.now(UTC))
        assert Webhook(letter.secret).verify(letter.body, headers) == {"text": "收下"}
        with pytest.raises(Exception, match="No matching signature"):
            Webhook(new_secret()).verify(letter.body, headers)

    def test_is_of_now_whatever_the_machines_zone(self) -> None:
        headers = signed(Letter("id-1", "http://x", new_secret(), "{}"), datetime.now(UTC).astimezone())
        assert abs(int(headers["webhook-timestamp"]) - time.time()) < 2


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            (None, None),
            ("120", 120),
            (" 5 ", 5),
            ("999999999", 3600),
            ("-5", None),
            ("soon", None),
            ("", None),
            (format_datetime(NOON + timedelta(seconds=90), usegmt=True), 90),
            (format_datetime(NOON - timedelta(days=1), usegmt=True), 0),
            (format_datetime(NOON + timedelta(days=9), usegmt=True), 3600),
        ],
    )
    def test_is_seconds_or_a_date_within_reason(self, header: str | None, seconds: float | None) -> None:
        assert retry_after(header, NOON) == seconds


class TestMasks:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("电话13812345678。", "电话138****78。"),
            ("+8613812345678", "+86****78"),
            ("8613812345678", "861****78"),
            ("138-1234-5678 或 138 1234 5678", "138****78 或 138****78"),
            ("１３８１２３４５６７８", "１３８****７８"),
            ("022-26391234、(022)26391234、02226391234", "022****34、(02****34、022****34"),
            ("身份证120113199001011234", "身份证120****34"),
            ("120113 19900101 123X", "120****3X"),
            ("订单 20261124000123456789 号", "订单 20261124000123456789 号"),
            ("2026年11月24日缴费12000元，共96课时", "2026年11月24日缴费12000元，共96课时"),
            ("", ""),
        ],
    )
    def test_hide_numbers_of_people_and_nothing_else(self, text: str, shown: str) -> None:
        assert masked(text) == shown

    def test_hide_words_that_are_named(self) -> None:
        assert masked("市民欧阳小梅反映", ("欧阳小梅",)) == "市民欧**反映"

    def test_go_into_all_that_people_wrote_and_leave_codes_alone(self) -> None:
        assert discreet({"a": ["13812345678", 7, None]}) == {"a": ["138****78", 7, None]}
        body = '{"id":"true","data":{"status":"lead","title":"lead 说","note":{"text":"lead"}}}'
        assert without(body, ("lead",)) == '{"id":"true","data":{"status":"lead","title":"l** 说","note":{"text":"l**"}}}'


def test_the_ssl_context_checks_names() -> None:
    context = Channels(seconds=1, private=True)._trust
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
