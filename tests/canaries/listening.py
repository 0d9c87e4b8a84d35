"""What the product says in passing is searched at once: answers, mails, deliveries, output of programs, log lines."""

from __future__ import annotations

import os
import smtplib
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from email import message_from_bytes, policy
from typing import Any, Final

from _pytest.capture import CaptureFixture
from litestar import Litestar

from app.connectors.webhooks.sender import Sender
from tests.canaries.lawful import unlawful
from tests.canaries.marks import LONGEST, Find, search

FOUND: Final[list[Find]] = []
HEARD: Final[Counter[str]] = Counter()  # bytes of each kind: a place that nobody hears any more shows here
_NOT_READ: Final = {b"set-cookie"}  # a browser's own secrets travel there, and are put nowhere else


def hear(kind: str, what: str, said: str | bytes | None) -> None:
    """Search something that was said, and remember what was found."""
    if said:
        content = said.encode("utf-8", "replace") if isinstance(said, str) else said
        HEARD[kind] += len(content)
        if found := unlawful(search(f"{kind} {what}", content)):
            test = os.environ.get("PYTEST_CURRENT_TEST", "outside tests")
            FOUND.extend(find._replace(test=test) for find in found)


def _around(owner: Any, name: str, made: Callable[[Any], Any]) -> None:
    """Put `made(function)` in the place of a function."""
    setattr(owner, name, made(getattr(owner, name)))


def _answers(call: Any) -> Any:
    async def __call__(self: Litestar, scope: Any, receive: Any, send: Any) -> None:  # noqa: N807  as ASGI calls it
        rest = b""

        async def heard(message: Any) -> None:
            nonlocal rest
            if message["type"] == "http.response.start":
                lines = [b": ".join(pair) for pair in message["headers"] if pair[0].lower() not in _NOT_READ]
                hear("headers", _route(scope, message["status"]), b"\n".join(lines))
            elif message["type"] == "http.response.body":
                rest = rest[-LONGEST:] + message.get("body", b"")
                hear("answer", _route(scope), rest)
            await send(message)

        await call(self, scope, receive, heard)

    return __call__


def _route(scope: Any, status: object = "") -> str:
    return f"{scope.get('method')} {scope.get('path_template') or scope.get('path')} {status}".strip()


def _mails(data: Any) -> Any:
    def heard(self: smtplib.SMTP, msg: str | bytes) -> Any:
        raw = msg.encode() if isinstance(msg, str) else msg
        mail = message_from_bytes(raw, policy=policy.default)
        kind = str(mail.get("X-Slipway-Message", mail["subject"]))
        hear("mail", kind, raw)
        for part in mail.walk():
            if not part.is_multipart():
                content: Any = part.get_payload(decode=True)
                hear("mail", kind, content)
        return data(self, msg)

    return heard


def _deliveries(send: Any) -> Any:
    def heard(self: Sender, url: str, headers: Mapping[str, str], body: bytes, **more: Any) -> Any:
        hear("delivery", url, repr((url, dict(headers))).encode() + body)
        answer = send(self, url, headers, body, **more)
        hear("answer to a delivery", url, answer.said)
        return answer

    return heard


def _output(communicate: Any) -> Any:
    def heard(self: Any, *given: Any, **more: Any) -> Any:
        out, err = communicate(self, *given, **more)
        for said in (out, err):
            hear("output", str(self.args)[:200], said)
        return out, err

    return heard


def _captured(readouterr: Any) -> Any:
    def heard(self: Any) -> Any:
        got = readouterr(self)
        for said in got:
            hear("output", "taken by the test", said)
        return got

    return heard


def listen() -> None:
    """From here on, in this process."""
    _around(Litestar, "__call__", _answers)
    _around(smtplib.SMTP, "data", _mails)
    _around(Sender, "send", _deliveries)
    _around(subprocess.Popen, "communicate", _output)
    _around(CaptureFixture, "readouterr", _captured)
