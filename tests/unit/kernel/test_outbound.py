"""Attacks on the guarded client over real sockets: rebinding, drips, broken answers, and what was sent or not."""

import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest

from app.kernel.outbound.client import (
    OutboundClient,
    OutboundRequest,
    PeerOutcomeUnknown,
    PeerUnreachable,
    dial_address,
)
from app.kernel.outbound.egress import AddressBook, EgressRefused

PEER = "api.peer.example"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def peer(answer, *, tls=None):
    """A listener that hands each connection to `answer(sock, request)`; yields (port, requests seen)."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen: list[bytes] = []
    stop = threading.Event()

    def serve():
        while not stop.is_set():
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with sock:
                try:
                    if tls:
                        sock = tls.wrap_socket(sock, server_side=True)
                    seen.append(read_request(sock))
                    answer(sock, stop)
                except OSError:
                    pass
                finally:
                    sock.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], seen
    finally:
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def read_request(sock):
    got = b""
    while b"\r\n\r\n" not in got:
        part = sock.recv(65536)
        if not part:
            return got
        got += part
    return got


def saying(answer):
    return lambda sock, _stop: sock.sendall(answer)


def client_for(port, **kwargs):
    return OutboundClient(AddressBook({(PEER, 443): port}), **kwargs)


def get(**kwargs):
    return OutboundRequest(method="GET", url=f"https://{PEER}/x?y=1", **kwargs)


class TestSend:
    def test_keeps_the_real_name_towards_a_stand_in(self):
        with peer(saying(OK)) as (port, seen):
            answer = client_for(port).send(get(headers={"Authorization": "Bearer t"}))
        assert (answer.status, answer.content, answer.headers["content-type"]) == (200, b"{}", "application/json")
        assert seen[0].startswith(b"GET /x?y=1 HTTP/1.1\r\nHost: api.peer.example\r\nAuthorization: Bearer t\r\n")
        assert b"Connection: close" in seen[0]

    def test_sends_a_body_once_with_its_length(self):
        bodies = []

        def echo(sock, _stop):
            bodies.append(True)
            sock.sendall(OK)

        with peer(echo) as (port, seen):
            client_for(port).send(OutboundRequest(method="POST", url=f"https://{PEER}/", content=b"12345"))
        assert b"Content-Length: 5\r\n" in seen[0]
        assert len(bodies) == 1

    def test_sends_a_body_at_once(self):
        """Left to itself, TCP keeps it until the headers were received: a whole way there and back."""
        with peer(saying(OK)) as (port, _seen), dial_address(("127.0.0.1", port), 1.0) as sock:
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    def test_ignores_proxies_of_the_environment(self, monkeypatch):
        with peer(saying(OK)) as (proxy_port, proxied), peer(saying(OK)) as (port, seen):
            for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy_port}")
            client_for(port).send(get())
        assert (len(proxied), len(seen)) == (0, 1)

    @pytest.mark.parametrize("to", ["http://169.254.169.254/latest/meta-data/", "https://127.0.0.1/", "/elsewhere"])
    def test_does_not_follow_a_redirect(self, to):
        answer = f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()
        with peer(saying(answer)) as (port, seen):
            assert client_for(port).send(get()).status == 302
        assert len(seen) == 1

    @pytest.mark.parametrize(
        "headers",
        [
            {"Host": "evil.com"},
            {"host": "evil.com"},
            {"Content-Length": "5"},
            {"Transfer-Encoding": "chunked"},
            {"X": "a\r\nY: b"},
            {"X": "s3cr3t\n"},
            {"X\r\nY": "b"},
            {"X Y": "b"},
            {"": "b"},
            {"X": "caf\u00e9"},
            {"X": "\x00"},
        ],
    )
    def test_refuses_headers_that_would_smuggle(self, headers):
        with pytest.raises(EgressRefused) as refused:
            client_for(1).send(get(headers=headers))
        assert refused.value.rule == "header"
        assert "s3cr3t" not in str(refused.value)

    def test_never_shows_headers_or_content(self):
        request = get(headers={"Authorization": "Bearer s3cr3t"}, content=b"s3cr3t")
        assert "s3cr3t" not in repr(request)
        with peer(saying(OK.replace(b"{}", b"xy") + b"")) as (port, _):
            assert "xy" not in repr(client_for(port).send(request))


class TestNothingWasSent:
    def test_when_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with pytest.raises(PeerUnreachable):
            client_for(port).send(get(timeout=2))

    def test_when_the_name_does_not_resolve(self):
        def no_such_name(_host, _port):
            raise socket.gaierror(-2, "Name or service not known")

        with pytest.raises(PeerUnreachable):
            OutboundClient(resolve=no_such_name).send(OutboundRequest(method="GET", url="https://good.com/"))

    def test_when_the_resolver_hangs(self):
        release = threading.Event()
        client = OutboundClient(resolve=lambda *_: [str(release.wait(10))])
        started = time.monotonic()
        with pytest.raises(PeerUnreachable):
            client.send(OutboundRequest(method="GET", url="https://good.com/", timeout=0.2))
        release.set()
        assert time.monotonic() - started < 2

    def test_when_the_peer_speaks_no_tls(self):
        with peer(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as (port, _):
            client = OutboundClient(resolve=lambda *_: ["93.184.216.34"], dial=dial_to(port, []))
            with pytest.raises(PeerUnreachable):
                client.send(OutboundRequest(method="POST", url="https://good.com/", content=b"x", timeout=0.7))


class TestOutcomeIsUnknown:
    def unknown(self, answer, **kwargs):
        with peer(answer) as (port, seen), pytest.raises(PeerOutcomeUnknown) as trouble:
            client_for(port).send(get(**kwargs))
        assert len(seen) == 1
        return trouble.value.reason

    def test_when_no_answer_comes_in_time(self):
        assert self.unknown(lambda _sock, stop: stop.wait(5), timeout=0.3) == "timeout"

    def test_when_the_peer_hangs_up_without_a_word(self):
        assert self.unknown(lambda *_: None) == "broken"

    def test_when_the_connection_is_reset(self):
        def reset(sock, _stop):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

        assert self.unknown(reset) == "broken"

    def test_when_the_body_breaks_off(self):
        assert self.unknown(saying(OK.replace(b"Content-Length: 2", b"Content-Length: 20"))) == "broken"

    @pytest.mark.parametrize("answer", [b"garbage\r\n\r\n", b"\x00" * 200, b"HTTP/1.1 abc\r\n\r\n", b"SSH-2.0-x\r\n"])
    def test_when_the_answer_is_not_http(self, answer):
        assert self.unknown(saying(answer)) in {"garbage", "broken"}

    def test_when_headers_never_end(self):
        endless = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"a" * 1000) for i in range(300))
        assert self.unknown(saying(endless)) in {"garbage", "broken"}

    def test_when_the_body_is_too_large(self):
        big = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100000
        assert self.unknown(saying(big), max_bytes=1000) == "oversize"

    def test_when_a_chunked_body_never_ends(self):
        def forever(sock, stop):
            sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not stop.is_set():
                sock.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")

        assert self.unknown(forever, max_bytes=100_000) == "oversize"

    def test_when_the_answer_drips(self):
        def drip(sock, stop):
            for byte in OK:
                sock.sendall(bytes([byte]))
                if stop.wait(0.05):
                    return

        started = time.monotonic()
        assert self.unknown(drip, timeout=0.5) == "timeout"
        assert time.monotonic() - started < 2

    def test_when_interim_answers_never_end(self):
        def again(sock, stop):
            while not stop.wait(0.01):
                sock.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")

        assert self.unknown(again, timeout=0.4) == "timeout"

    def test_when_the_peer_does_not_read(self):
        request = OutboundRequest(method="POST", url=f"https://{PEER}/", content=b"x" * 30_000_000, timeout=0.5)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = client_for(listener.getsockname()[1])
            with pytest.raises(PeerOutcomeUnknown):
                client.send(request)


def dial_to(port, dialled):
    """Stands for the internet: notes the vetted address and connects to a listener of this test."""

    def dial(address, seconds):
        dialled.append(address)
        return socket.create_connection(("127.0.0.1", port), timeout=seconds)

    return dial


class TestRebinding:
    def test_only_ever_uses_the_vetted_address(self):
        answers = [["93.184.216.34"], ["127.0.0.1"], ["169.254.169.254"]]
        asked: list[str] = []
        dialled: list[tuple[str, int]] = []

        def rebinding(host, _port):
            asked.append(host)
            return answers[min(len(asked), 3) - 1]

        with peer(saying(OK)) as (loopback, seen):
            client = OutboundClient(resolve=rebinding, dial=dial_to(loopback, dialled))
            request = OutboundRequest(method="GET", url="https://good.com/", timeout=0.7)
            with pytest.raises(PeerUnreachable):  # no TLS there; what counts is where it dialled
                client.send(request)
            for _ in range(2):
                with pytest.raises(EgressRefused):
                    client.send(request)
        assert dialled == [("93.184.216.34", 443)]
        assert len(asked) == 3
        assert all(b"GET" not in request for request in seen)


class TestLocalListeners:
    """The one that matters: whatever is spelled how, a service on this machine hears nothing."""

    @pytest.mark.parametrize(
        "host",
        [
            *("127.0.0.1", "localhost", "localhost.", "2130706433", "0x7f.1", "127.1", "0", "[::1]"),
            *("[::ffff:127.0.0.1]", "[::]", "[64:ff9b::7f00:1]", "127.0.0.1.", "rebind.good.com", "169.254.169.254"),
            "\uff11\uff12\uff17.0.0.1",
        ],
    )
    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_get_no_connection(self, scheme, host):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            port = listener.getsockname()[1]
            client = OutboundClient(resolve=lambda *_: ["127.0.0.1"])
            url = f"{scheme}://{host}:{port}/"
            with pytest.raises(EgressRefused):
                client.send(OutboundRequest(method="GET", url=url, ports=frozenset({port}), timeout=2))
            with pytest.raises(BlockingIOError):
                listener.accept()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=good.com"]
    extra = ["-addext", "subjectAltName=DNS:good.com", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command, *extra], check=True, capture_output=True)
    return cert, key


class TestTLS:
    def exchange(self, certificate, url):
        cert, key = certificate
        names = []
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(cert, key)
        server.sni_callback = lambda _sock, name, _context: names.append(name)
        trusted = ssl.create_default_context(cafile=str(cert))
        dialled: list[tuple[str, int]] = []
        with peer(saying(OK), tls=server) as (port, seen):
            client = OutboundClient(resolve=lambda *_: ["93.184.216.34"], dial=dial_to(port, dialled), tls=trusted)
            try:
                client.send(OutboundRequest(method="GET", url=url, ports=frozenset({8443}), timeout=5))
            finally:
                self.names, self.dialled = names, dialled
        return seen

    def test_names_the_host_while_it_dials_the_address(self, certificate):
        seen = self.exchange(certificate, "https://good.com:8443/x")
        assert self.names == ["good.com"]
        assert self.dialled == [("93.184.216.34", 8443)]
        assert b"Host: good.com:8443\r\n" in seen[0]

    def test_sends_nothing_to_a_peer_with_another_name(self, certificate):
        with pytest.raises(PeerUnreachable):
            self.exchange(certificate, "https://other.com/")
