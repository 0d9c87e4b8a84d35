"""How the HubSpot stand-in tells of changes: its documented body, its signature v3, its retries. Holds no objects."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from app.connectors.inbound.schemes import Arrival
from app.connectors.inbound.schemes.hubspot import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from app.vault.secret import Secret

# Ten more attempts, spread over 24 hours; HubSpot names no figures, and each delay is randomised by a fifth.
RETRY_DELAYS = (60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 10800.0, 14400.0, 18000.0, 28800.0)
ANSWER_WITHIN = 5.0

Clock = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """An app's subscription. `target_url` is the public address that is signed; it is reached at 127.0.0.1."""

    target_url: str
    client_secret: Secret
    portal_id: int = 62515
    app_id: int = 1160452
    subscription_id: int = 25
    retry_delays: tuple[float, ...] = RETRY_DELAYS


@dataclass(frozen=True)
class Attempt:
    """One delivery as it went: the answer's status, or 0 where none came within five seconds."""

    number: int
    status: int
    event_id: int


@dataclass
class Postman:
    """Delivers events to one subscription, in threads, and keeps what came of each attempt."""

    subscription: Subscription
    clock: Clock
    stopping: threading.Event
    attempts: list[Attempt] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(3816279340))

    def property_change(self, object_type: str, object_id: str, name: str, value: str) -> dict[str, Any]:
        """An event as HubSpot documents it; `object_type` is `deal`, `company` or `contact`."""
        return {
            "eventId": next(self._numbers),
            "subscriptionId": self.subscription.subscription_id,
            "portalId": self.subscription.portal_id,
            "appId": self.subscription.app_id,
            "occurredAt": _milliseconds(self.clock()),
            "subscriptionType": f"{object_type}.propertyChange",
            "attemptNumber": 0,
            "objectId": int(object_id),
            "propertyName": name,
            "propertyValue": value,
            "changeSource": "CRM_UI",
            "sourceId": "userId:864745280",
        }

    def tell(self, event: Mapping[str, Any]) -> threading.Thread:
        """Deliver an event until it is answered with 2xx or the retries are used up; returns the thread that does."""
        thread = threading.Thread(target=self._deliver, args=(event,), daemon=True, name="hubspot-webhook")
        thread.start()
        return thread

    def _deliver(self, event: Mapping[str, Any]) -> None:
        for number, delay in enumerate([*self.subscription.retry_delays, 0.0]):
            status = self.post([{**event, "attemptNumber": number}])
            self.attempts.append(Attempt(number, status, event["eventId"]))
            spread = random.uniform(0.8, 1.2)  # noqa: S311  a spread of retries, no secret
            if 200 <= status < 300 or self.stopping.wait(delay * spread):  # noqa: PLR2004  2xx is success
                return

    def post(self, events: list[dict[str, Any]]) -> int:
        """Send one signed delivery now; the status of the answer, or 0 where none came within five seconds."""
        body = json.dumps(events, separators=(",", ":")).encode()
        split = urlsplit(self.subscription.target_url)
        connection = http.client.HTTPConnection("127.0.0.1", split.port or 80, timeout=ANSWER_WITHIN)
        try:
            target = split.path + (f"?{split.query}" if split.query else "")
            connection.request("POST", target, body=body, headers={"Host": split.netloc, **self.headers(body)})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def headers(self, body: bytes) -> dict[str, str]:
        """The headers of a delivery, freshly signed: v3, and v1 for old receivers."""
        secret = self.subscription.client_secret
        timestamp = str(_milliseconds(self.clock()))
        delivery = Arrival("POST", self.subscription.target_url, (), body)
        return {
            "Content-Type": "application/json",
            "User-Agent": "HubSpot Connect 2.0 (http://dev.hubspot.com/) (namespace: webhooks-nio-http-client)",
            SIGNATURE_HEADER: sign(secret, delivery, timestamp),
            TIMESTAMP_HEADER: timestamp,
            "X-HubSpot-Signature": hashlib.sha256(secret.reveal_bytes() + body).hexdigest(),
            "X-HubSpot-Signature-Version": "v1",
        }


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
