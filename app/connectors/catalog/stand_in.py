"""The server under every stand-in: real HTTP on 127.0.0.1, tokens, fault switches. The runner never imports it."""

from __future__ import annotations

import argparse
import base64
import json
import signal
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

LARGEST_BODY = 1_048_576
OWN_PATHS = "/__stand_in__/"
FAULTS_PATH = f"{OWN_PATHS}faults"
TOKENS_PATH = f"{OWN_PATHS}tokens"
# Closing a socket that lingers for no time resets the connection.
RESET = struct.pack("ii", 1, 0)

FaultKind = Literal["status", "redirect", "garbage", "oversize", "silent_after_effect", "reset_after_effect", "slow"]
BEFORE_EFFECT = {"status", "redirect"}


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose path starts with `path`.

    `status` and `redirect` answer before the effect; the others let the request take effect and spoil the answer.
    """

    kind: FaultKind
    path: str = "/"
    times: int = 1
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    location: str = "http://169.254.169.254/latest/meta-data/"
    seconds: float = 30.0
    size: int = 2_000_000


@dataclass(frozen=True)
class Call:
    """One request as a stand-in's wire sees it; `account` is whose token it carried."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any  # Any: parsed JSON of any shape
    raw: bytes
    account: str


@dataclass(frozen=True)
class Answer:
    """What a wire answers; a `document` of None sends no body."""

    status: int
    document: Any = None  # Any: JSON of any shape
    headers: Mapping[str, str] = field(default_factory=dict)


# Answers one authorised request.
Wire = Callable[[Call], Answer]
# Makes the peer's own error document from (status, headline).
ErrorShape = Callable[[int, str], Any]


class StandInServer:
    """A stand-in that runs in a thread of this process; `main` runs the same as a process of its own."""

    def __init__(self, wire: Wire, *, errors: ErrorShape, tokens: Mapping[str, str], port: int = 0) -> None:
        self.tokens = dict(tokens)
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []
        self.stopping = threading.Event()
        self.wire = wire
        self.error_shape = errors
        self.open_doors: dict[str, Wire] = {}  # paths that ask for no token, as a token endpoint
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Door)
        self._server.stand_in = self
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving; returns when the port is free. Twice does no harm."""
        if not self.stopping.is_set():
            self.stopping.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(5)

    def account_of(self, token: str) -> str:
        """Whose token this is; "" for one that is none, or none any more."""
        return self.tokens.get(token, "")

    def break_next(self, fault: Fault) -> None:
        """Arm a fault switch."""
        with self._lock:
            self.faults.append(fault)

    def take_fault(self, path: str) -> Fault | None:
        """The armed fault for this path, used up by one."""
        with self._lock:
            for fault in self.faults:
                if path.startswith(fault.path) and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def token_of(self, headers: Mapping[str, str]) -> str:
        """The token that a request carries, or an empty text. Of a user and a password (RFC 7617) it is the user."""
        proof = headers.get("Authorization") or ""
        if not proof.startswith("Basic "):
            return proof.removeprefix("Bearer ")
        try:
            return base64.b64decode(proof.removeprefix("Basic "), validate=True).decode().partition(":")[0]
        except ValueError:
            return ""

    def unknown_caller(self) -> Answer:
        """What a request without a known token gets."""
        return Answer(401, self.error_shape(401, "unauthenticated"))

    def answer(self, call: Call) -> Answer:
        """The stand-in's own switches, else the wire behind a known token."""
        if call.path == FAULTS_PATH and call.method == "POST":
            self.break_next(Fault(**call.body))
            return Answer(204)
        if call.path == FAULTS_PATH and call.method == "DELETE":
            self.faults.clear()
            return Answer(204)
        if call.path == TOKENS_PATH and call.method == "POST":
            self.tokens[call.body["token"]] = call.body["account"]
            return Answer(204)
        if (door := self.open_doors.get(call.path)) is not None:
            return door(call)
        if not call.account:
            return self.unknown_caller()
        with self._lock:
            self.requests.append((call.method, call.path))
        return self.wire(call)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    stand_in: StandInServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up."""  # nothing: daily bread here, not worth the library's traceback


class _Door(BaseHTTPRequestHandler):
    """Reads one request, asks the stand-in, and writes the answer, or spoils it as the fault says."""

    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is two writes: the second waited up to 40 ms for the first

    def _serve(self) -> None:
        stand_in = self.server.stand_in
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            return self._write(Answer(413, stand_in.error_shape(413, "too large")))
        call = self._call(self.rfile.read(length))
        fault = None if call.path.startswith(OWN_PATHS) else stand_in.take_fault(call.path)
        if fault and fault.kind in BEFORE_EFFECT:
            return self._write(self._failing(fault))
        try:
            answer = stand_in.answer(call)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            answer = Answer(400, stand_in.error_shape(400, f"invalid input: {type(error).__name__}"))
        return self._spoil(fault) if fault else self._write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  the library's names

    def _call(self, raw: bytes) -> Call:
        split = urlsplit(self.path)
        token = self.server.stand_in.token_of(dict(self.headers))
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        return Call(
            method=self.command,
            path=split.path,
            query=dict(parse_qsl(split.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            raw=raw,
            account=self.server.stand_in.account_of(token),
        )

    def _failing(self, fault: Fault) -> Answer:
        if fault.kind == "redirect":
            return Answer(302, None, {"Location": fault.location})
        return Answer(fault.status, self.server.stand_in.error_shape(fault.status, "injected"), fault.headers)

    def _spoil(self, fault: Fault) -> None:
        """The effect is there; the answer is not what it should be."""
        self.close_connection = True
        if fault.kind == "garbage":
            self._write_raw(200, b'<html>{"id": ', {"Content-Type": "application/json"})
        elif fault.kind == "oversize":
            self._write_raw(200, b'{"x": "' + b"a" * fault.size + b'"}', {})
        elif fault.kind == "silent_after_effect":
            self.server.stand_in.stopping.wait(fault.seconds)
        elif fault.kind == "reset_after_effect":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        elif fault.kind == "slow":
            for byte in b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b" " * 1000:
                self.wfile.write(bytes([byte]))
                if self.server.stand_in.stopping.wait(fault.seconds / 1000):
                    return

    def _write(self, answer: Answer) -> None:
        content = b"" if answer.document is None else json.dumps(answer.document).encode()
        own = {"Content-Type": "application/json;charset=utf-8"} if content else {}
        self._write_raw(answer.status, content, {**own, **answer.headers})

    def _write_raw(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def version_string(self) -> str:
        return "stand-in"

    def log_message(self, *_: object) -> None:
        """The library's line for a request."""  # nothing: what a stand-in saw is asked for over its own address


# Starts a stand-in: (port, tokens by value → account).
Start = Callable[[int, Mapping[str, str]], StandInServer]


def main(start: Start, about: str) -> None:
    """Run a stand-in as a process until it is told to stop: `--port N --token VALUE=ACCOUNT …`."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", action="append", default=[], metavar="VALUE=ACCOUNT")
    given = parser.parse_args()
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # before the server's threads start, so that they inherit it
    stand_in = start(given.port, dict(entry.partition("=")[::2] for entry in given.token))
    print(f"listening on http://127.0.0.1:{stand_in.port}", flush=True)  # noqa: T201  a supervisor reads this line
    signal.sigwait(signals)
    stand_in.stop()
