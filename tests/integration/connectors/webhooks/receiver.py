"""A receiver of webhooks: a real HTTP server that keeps what it gets and answers as it is told. Not a test."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from app.connectors.webhooks.envelope import VERIFICATION


@dataclass
class Reply:
    """An answer: `seconds` it takes, `garbage` instead of HTTP."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    garbage: bool = False


@dataclass
class Got:
    """A message as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        """What stands in it."""
        return json.loads(self.body)

    @property
    def id(self) -> str:
        """The message's id."""
        return self.headers["webhook-id"]


class Receiver:
    """Gives challenges back unless it is `shy`; answers the rest with the next of `replies`, or 204."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.asked: list[Got] = []
        self.replies: list[Reply] = []
        self.shy = False
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                message = Got(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                receiver._answer(self, message)

            def log_message(self, *args: object) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def stop(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    def of(self, kind: str) -> list[Got]:
        """The events of that type."""
        return [each for each in self.got if each.told["type"] == kind]

    def _answer(self, handler: BaseHTTPRequestHandler, message: Got) -> None:
        if message.told["type"] == VERIFICATION:
            self.asked.append(message)
            self._write(handler, Reply(200, body=b"" if self.shy else json.dumps(message.told["data"]).encode()))
            return
        self.got.append(message)
        reply = self.replies.pop(0) if self.replies else Reply()
        time.sleep(reply.seconds)  # a receiver that takes its time: nobody can await that
        if reply.garbage:
            handler.wfile.write(b"\x00\x01 no HTTP at all\r\n\r\n")
            return
        self._write(handler, reply)

    @staticmethod
    def _write(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.send_response(reply.status)
        for name, value in {"content-length": str(len(reply.body)), **reply.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.body)
