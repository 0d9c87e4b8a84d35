"""What a journey stands on: the running programs, the world outside them, the clock, and how it tells what it does."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from app.connectors.catalog.stand_in import OWN_PATHS, TOKENS_PATH
from app.demo.journey.people import Inbox
from app.demo.stand_ins import Outside
from app.demo.world.clock import BusinessClock, at_hour, working_day
from app.demo.world.crm import CrmClient
from app.demo.world.tokens import Tokens
from app.kernel.runtime import Runtime
from app.settings import Settings

_HOURS = (8, 10, 13, 15)  # of a working day, UTC: when somebody does the next thing


@dataclass
class Ground:
    """One run: everything it asks or moves."""

    settings: Settings
    runtime: Runtime
    clock: BusinessClock
    tokens: Tokens
    mails: Inbox
    crm_port: int
    product_port: int
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, settings: Settings, runtime: Runtime, outside: Outside) -> Ground:
        """What a run needs, from where the demo's outside world is."""
        return cls(
            settings=settings,
            runtime=runtime,
            clock=BusinessClock(settings.cell_urls.values()),
            tokens=Tokens(outside.folder),
            mails=Inbox(outside.mail_folder),
            crm_port=outside.ports["hubspot"],
            product_port=outside.ports["product_admin"],
        )

    def say(self, text: str) -> None:
        """One line of progress, with the seconds since the run began."""
        print(f"{time.monotonic() - self.began:6.1f} s  {text}", flush=True)

    def crm(self, slug: str) -> CrmClient:
        """The CRM as the partner's sellers use it."""
        return CrmClient(self.crm_port, self.tokens[f"{slug}/hubspot"])

    def subscribe(self, slug: str, address: str) -> None:
        """Have the CRM tell the partner's hook of every change, signed with the app's secret."""
        wanted = {
            "target_url": address,
            "client_secret": self.tokens[f"{slug}/client_secret"],
            "retry_delays": [1.0, 2.0, 4.0],
        }
        self._outside(self.crm_port, f"{OWN_PATHS}subscriptions", self.tokens[f"{slug}/hubspot"], wanted)

    def open_account(self, account: str) -> str:
        """An account at the product for this customer. Returns its token."""
        word = f"{account}/product_admin"
        self.tokens.make([word])
        self._outside(self.product_port, TOKENS_PATH, "", {"token": self.tokens[word], "account": account})
        return self.tokens[word]

    def effects(self, account: str) -> list[dict[str, Any]]:
        """What really happened at the product in this account, in order."""
        token = self.tokens[f"{account}/product_admin"]
        return list(self._outside(self.product_port, f"{OWN_PATHS}effects", token, None)["items"])

    def _outside(self, port: int, path: str, token: str, body: object) -> Any:  # JSON of the stand-in's own shape
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            sent = None if body is None else json.dumps(body).encode()
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request("GET" if body is None else "POST", path, body=sent, headers=headers)
            text = connection.getresponse().read()
        finally:
            connection.close()
        return json.loads(text) if text else None


class Diary:
    """The journey's days: four moments in each working day, from some days ago up to now."""

    def __init__(self, clock: BusinessClock, *, days_ago: int) -> None:
        self._clock = clock
        self._day = working_day(datetime.now(UTC).date(), -days_ago)
        self._slot = -1

    @property
    def today(self) -> date:
        """The day it is now in the journey."""
        return self._day

    def next_moment(self) -> None:
        """Somebody gets to it a little later."""
        self._slot += 1
        if self._slot == len(_HOURS):
            self._day, self._slot = working_day(self._day, 1), 0
        self._clock.show(at_hour(self._day, _HOURS[self._slot]))

    def jump(self, moment: datetime) -> None:
        """Time passes until then; the next moment comes after it."""
        self._clock.show(moment)
        self._day = working_day(moment.date(), 0)
        self._slot = sum(hour <= moment.hour for hour in _HOURS) - 1
