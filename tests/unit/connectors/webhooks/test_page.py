"""docs/api/webhooks.md is what receivers work by: its programs run, its example is real, its numbers are the code's."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.connectors.jobs.webhooks import _SOON
from app.connectors.webhooks import sender
from app.connectors.webhooks.envelope import MEDIA_TYPE, Happened, write_challenge, write_event
from app.connectors.webhooks.operations.care import MOST_REPEATED
from app.connectors.webhooks.operations.keys import LONGEST_OVERLAP
from app.connectors.webhooks.rules import DISABLED_AFTER, KEPT, MOST_ATTEMPTS, MOST_ENDPOINTS, PAUSES, WARNED_AT
from app.connectors.webhooks.signing import public_of, shared_of, sign
from app.kernel.ids import new_id
from app.kernel.queue.dispatcher import CALLS_AT_ONCE
from app.vault.secret import Secret

PAGE = (Path(__file__).parents[4] / "docs" / "api" / "webhooks.md").read_text("utf-8")
KEY = Secret(bytes(range(64)))
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TENANT = UUID("0195c8a0-0000-7000-8000-000000000001")
UNITS = {"s": 1, "min": 60, "h": 3600}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run(number: int) -> dict[str, Any]:
    """What a program of the page leaves behind."""
    names: dict[str, Any] = {}
    exec(compile(blocks("python")[number], f"webhooks.md, program {number + 1}", "exec"), names)  # noqa: S102  our page
    return names


def sent(body: bytes, *, ago: float = 0) -> dict[str, str]:
    return sign([KEY], json.loads(body)["id"], datetime.fromtimestamp(time.time() - ago, tz=UTC), body)


def an_event() -> bytes:
    event = Happened(new_id(), "onboarding.started", NOW, "onboarding", TENANT, TENANT, "0af7", {"name": "Ümlaut"})
    return write_event(TENANT, event, sequence=1, thin=False)


def seconds(text: str) -> int:
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+) (s|min|h)\b", text))


class TestReceiver:
    @pytest.fixture
    def names(self, monkeypatch) -> dict[str, Any]:
        monkeypatch.setenv("WEBHOOK_SECRET", shared_of(KEY).reveal())
        return run(0)

    def test_takes_a_message_once(self, names):
        body = an_event()
        assert names["receive"](sent(body), body) == (204, "")
        assert names["receive"](sent(body), body) == (204, "")
        assert names["waiting"] == [json.loads(body)]

    def test_proves_its_address(self, names):
        body = write_challenge(TENANT, new_id(), NOW, "ABCD2345")
        assert names["receive"](sent(body), body) == (200, '{"challenge": "ABCD2345"}')
        assert not names["waiting"]

    def test_refuses_what_is_altered_stale_or_not_signed(self, names):
        body = an_event()
        for headers in (sent(body, ago=400), {}, sent(body) | {"webhook-signature": "nothing"}):
            assert names["receive"](headers, body) == (401, "")
        assert names["receive"](sent(body), body + b" ") == (401, "")
        assert not names["waiting"]


class TestPublicKeys:
    def test_are_enough_to_verify_a_message(self):
        is_genuine, body, other = run(1)["is_genuine"], an_event(), Secret(bytes(64))
        assert is_genuine(sent(body), body, public_of(KEY))
        assert not is_genuine(sent(body), body + b" ", public_of(KEY))
        assert not is_genuine(sent(body), body, public_of(other))
        assert not is_genuine(sent(body, ago=400), body, public_of(KEY))


class TestExample:
    def test_is_what_would_be_sent(self):
        told = json.loads(blocks("json")[0])
        kind, _, subject = told["subject"].partition("/")
        at, trace = datetime.fromisoformat(told["time"]), told["correlationid"]
        onboarding = UUID(told["partitionkey"])
        event = Happened(UUID(told["id"]), told["type"], at, kind, UUID(subject), onboarding, trace, told["data"])
        tenant = UUID(told["source"].rpartition("/")[2])
        body = write_event(tenant, event, sequence=int(told["sequence"]), thin=False)
        assert body == json.dumps(told, separators=(",", ":")).encode()
        head = dict(line.split(": ", 1) for line in blocks("http")[0].splitlines()[1:])
        assert head["Content-Type"] == MEDIA_TYPE
        moment = datetime.fromtimestamp(int(head["webhook-timestamp"]), tz=UTC)
        assert sign([KEY], told["id"], moment, body).items() <= head.items()


class TestNumbers:
    def test_of_the_tries_are_those_of_the_schedule(self):
        rows = re.findall(r"^\| (\d+) \| (.+?) \| (.*?) ?\|$", PAGE, re.MULTILINE)
        assert [int(number) for number, _, _ in rows] == [*range(1, len(PAUSES) + 2)]
        assert [seconds(pause) for _, pause, _ in rows[1:]] == [pause.total_seconds() for pause in PAUSES]
        for place, (_, _, told) in enumerate(rows[1:], 1):
            real = sum(PAUSES[:place], timedelta()).total_seconds()
            assert seconds(told) <= real < seconds(told) + 60

    def test_are_those_of_the_code(self):
        first, second, third = (f"{DISABLED_AFTER.total_seconds() / 3600 * each / 100:.0f}" for each in WARNED_AT)
        half, more, most_of_it = WARNED_AT
        at_once, most, shown = CALLS_AT_ONCE, sender._MOST_BYTES // 1024, sender._EXCERPT
        for said in (
            *(f"**{sender.LIMIT:.0f} seconds**", f"at most {most} KiB", f"first {shown} characters"),
            *(f"at most {at_once} calls at once", f"{MOST_ENDPOINTS} endpoints in a workspace"),
            *(f"goes back {KEPT.days} days", f"last {MOST_ATTEMPTS} tries", f"newest {MOST_REPEATED:,} of it"),
            *(
                f"(0 to {LONGEST_OVERLAP})",
                f"({first}, {second} and {third} hours)",
                f"{half}, {more} and\n{most_of_it} percent",
            ),
            f"after {_SOON[0].seconds} seconds and after a minute",
        ):
            assert said in PAGE, said
