"""Calls by way of a forward proxy: a real one that speaks CONNECT, asked for vetted addresses and for nothing else."""

import base64
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from app.bootstrap.wiring import _outbound
from app.kernel.outbound.client import REQUESTS, OutboundClient, OutboundRequest, PeerUnreachable, dial_address
from app.kernel.outbound.egress import AddressBook, EgressRefused, Place
from app.kernel.outbound.proxy import ForwardProxy
from app.settings import BadSettings, Settings
from tests.unit.kernel.test_outbound import OK, certificate, peer, read_request, saying

__all__ = ["certificate"]
PUBLIC = "93.184.216.34"


def carry(source, target):
    with suppress(OSError), source, target:
        while part := source.recv(65536):
            target.sendall(part)


@contextmanager
def proxy(port, *, answer=b"HTTP/1.1 200 Connection established\r\nVia: 1.1 x\r\n\r\n"):
    """A CONNECT proxy that leads everything to a local port; yields (its own port, what it was asked)."""
    listener, asked = socket.create_server(("127.0.0.1", 0)), []

    def serve():
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with suppress(OSError):
                    lead(sock)

    def lead(sock):
        asked.append(read_request(sock))
        sock.sendall(answer)
        if b" 200 " not in answer:
            sock.close()
            return
        there = socket.create_connection(("127.0.0.1", port))
        for pair in ((sock, there), (there.dup(), sock.dup())):
            threading.Thread(target=carry, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1], asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def through(port, *, credentials="", book=None, resolve=lambda *_: [PUBLIC], tls=None):
    way = ForwardProxy("127.0.0.1", port, credentials)
    return OutboundClient(book or AddressBook({}), resolve=resolve, dial=way, tls=tls)


def get(url="https://good.com/x", **kwargs):
    return OutboundRequest(method="GET", url=url, **{"timeout": 3.0, **kwargs})


class TestThroughAProxy:
    def test_the_vetted_address_is_asked_for_and_the_name_is_proven(self, certificate):
        cert, key = certificate
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(cert, key)
        names = []
        server.sni_callback = lambda _sock, name, _context: names.append(name)
        with peer(saying(OK), tls=server) as (port, seen), proxy(port) as (way, asked):
            client = through(way, credentials="ops:s3cr3t", tls=ssl.create_default_context(cafile=str(cert)))
            assert client.send(get()).status == 200
            with pytest.raises(PeerUnreachable):  # the certificate is good.com's: who sits behind it proves nothing
                client.send(get("https://other.com/"))
        credentials = base64.b64encode(b"ops:s3cr3t").decode()
        assert asked[0].splitlines() == [
            f"CONNECT {PUBLIC}:443 HTTP/1.1".encode(),
            f"Host: {PUBLIC}:443".encode(),
            f"Proxy-Authorization: Basic {credentials}".encode(),
            b"",
        ]
        assert names == ["good.com", "other.com"]
        assert b"Host: good.com\r\n" in seen[0]
        assert b"Proxy-Authorization" not in seen[0]
        assert b"good.com" not in b"".join(asked)

    @pytest.mark.parametrize("answers", [["127.0.0.1"], ["169.254.169.254"], [PUBLIC, "10.0.0.1"], ["::ffff:10.0.0.1"]])
    def test_what_the_guard_refuses_never_reaches_the_proxy(self, answers):
        with proxy(1) as (way, asked):
            with pytest.raises(EgressRefused):
                through(way, resolve=lambda *_: answers).send(get())
            with pytest.raises(EgressRefused):
                through(way).send(get("https://169.254.169.254/"))
            assert asked == []

    def test_a_stand_in_is_reached_without_it(self):
        with peer(saying(OK)) as (port, seen), proxy(1) as (way, asked):
            book = AddressBook({("api.peer.example", 443): port})
            assert through(way, book=book).send(get("https://api.peer.example/")).status == 200
        assert (len(seen), asked) == (1, [])

    @pytest.mark.parametrize(
        "answer",
        [
            *(b"HTTP/1.1 403 Forbidden\r\n\r\n", b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b"\r\n\r\n"),
            *(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n", b"SSH-2.0-x\r\n\r\n", b"x" * 40_000),
        ],
    )
    def test_a_proxy_that_will_not_means_that_nothing_was_sent(self, answer):
        with proxy(1, answer=answer) as (way, _):
            before = REQUESTS.labels("unreachable")._value.get()
            with pytest.raises(PeerUnreachable) as trouble:
                through(way, credentials="ops:s3cr3t").send(get())
            assert REQUESTS.labels("unreachable")._value.get() == before + 1
        assert "s3cr3t" not in str(trouble.value)

    def test_a_silent_proxy_costs_no_more_than_the_time_of_the_call(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            began = time.monotonic()
            with pytest.raises(PeerUnreachable):
                through(silent.getsockname()[1]).send(get(timeout=0.3))
            assert time.monotonic() - began < 2

    def test_not_a_byte_of_what_the_peer_says_first_is_lost(self):
        """SSH servers speak before they are spoken to, maybe in the same packet as the proxy's answer."""
        answer = b"HTTP/1.1 200 OK\r\n\r\nSSH-2.0-peer\r\n"
        place = Place("good.com", 22, frozenset({22}))
        with (
            socket.create_server(("127.0.0.1", 0)) as there,
            proxy(there.getsockname()[1], answer=answer) as (way, _),
            through(way).open(place, timeout=2) as sock,
        ):
            assert sock.recv(100) == b"SSH-2.0-peer\r\n"


class TestASetting:
    @pytest.mark.parametrize(
        "text",
        [
            *(
                "proxy:3128",
                "https://proxy:3128",
                "http://proxy",
                "http://:3128",
                "http://proxy:3128/x",
                "socks5://p:1",
            ),
            *("http://user@proxy:3128", "http://proxy:99999", "http://a:b%0d%0ax@proxy:1", "http://proxy:3128?x=1"),
        ],
    )
    def test_is_refused_when_no_proxy_can_be_meant(self, text):
        with pytest.raises(ValueError, match=r"^(must|names|holds)") as wrong:
            ForwardProxy.parse(text)
        assert "b%0d" not in str(wrong.value)

    def test_never_shows_its_password(self):
        read = ForwardProxy.parse("http://ops:p%40ss@proxy.internal:3128")
        assert (read.host, read.port, read.credentials) == ("proxy.internal", 3128, "ops:p@ss")
        assert "p@ss" not in repr(read)


class TestAPlace:
    @pytest.mark.parametrize(
        ("host", "port", "rule"),
        [
            *(("127.0.0.1", 22, "loopback"), ("localhost", 22, "bare_host"), ("good.com", 23, "port")),
            *(
                ("files.local", 22, "special_name"),
                ("2130706433", 22, "numeric_host"),
                ("good.com.", 22, "trailing_dot"),
            ),
            *(("[::1]", 22, "loopback"), ("good.com/x", 22, "malformed_host"), ("u@good.com", 22, "malformed_host")),
            *(
                ("good.com\r\n", 22, "malformed_host"),
                ("", 22, "malformed_host"),
                ("169.254.169.254", 22, "cloud_metadata"),
            ),
        ],
    )
    def test_is_vetted_like_a_url(self, host, port, rule):
        client = OutboundClient(resolve=lambda *_: pytest.fail("must not even be looked up"))
        with pytest.raises(EgressRefused) as refused:
            client.open(Place(host, port, frozenset({22})), timeout=1)
        assert refused.value.rule == rule

    def test_is_a_stand_in_for_a_sandbox_or_nothing(self):
        with pytest.raises(EgressRefused) as refused:
            OutboundClient().open(Place("good.com", 22, frozenset({22})), timeout=1, sandbox=True)
        assert refused.value.rule == "sandbox"


ENVIRON = {
    "SLIPWAY_CONTROL_URL": "postgresql://a:b@localhost/control",
    "SLIPWAY_CELL_URL": "postgresql://a:b@localhost/cell",
    "SLIPWAY_REDIS_URL": "redis://localhost:6379/0",
    "SLIPWAY_KEYRING": "/nowhere/keys",
}


class TestAnInstallation:
    def test_calls_through_the_proxy_that_its_settings_name(self):
        settings = Settings.from_environment(ENVIRON | {"SLIPWAY_EGRESS_PROXY": "http://ops:s3cr3t@10.0.0.9:3128"})
        assert _outbound(settings)._dial == ForwardProxy("10.0.0.9", 3128, "ops:s3cr3t")
        assert _outbound(Settings.from_environment(ENVIRON))._dial is dial_address
        assert settings.environment()["SLIPWAY_EGRESS_PROXY"] == "http://ops:s3cr3t@10.0.0.9:3128"
        assert "s3cr3t" not in repr(settings)

    def test_does_not_start_with_one_that_cannot_be_meant(self):
        with pytest.raises(BadSettings) as bad:
            Settings.from_environment(ENVIRON | {"SLIPWAY_EGRESS_PROXY": "https://ops:s3cr3t@proxy"})
        assert "SLIPWAY_EGRESS_PROXY must be a URL like" in str(bad.value)
        assert "s3cr3t" not in str(bad.value)
