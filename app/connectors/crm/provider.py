"""What a CRM connector gives besides its manifest: `signature.verify`, `webhook.read_events`, `deals.read_deal`.

Found by the provider's name: a new CRM is a new folder, and nothing here is edited.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast

import msgspec

from app.connectors.crm.sold_deal import DealAnswer
from app.connectors.kit.contract import SignedIn
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.kernel.errors import Missing
from app.kernel.outbound.world_clock import world_time
from app.vault.secret import Secret


class NotACRM(Missing):
    """The connector exists, but no deals can be read through it."""


class HookEvent(Protocol):
    """One change that a CRM tells of."""

    object_id: int

    @property
    def delivery_key(self) -> str:
        """The same in every attempt to deliver it."""

    def moves_deal_to(self, stages: Collection[str]) -> bool:
        """Whether a deal was moved to one of these stages."""


@dataclass(frozen=True, slots=True)
class SignedBody:
    """A webhook as it came in: the full public address, the untouched headers and bytes."""

    uri: str
    headers: Mapping[str, str]
    body: bytes


class CRM:
    """One provider's way to speak of deals. Raises NotACRM where its folder has no such modules."""

    def __init__(self, registry: Registry, provider: str) -> None:
        registry.get(provider)
        self._parts = {name: self._module(provider, name) for name in ("signature", "webhook", "deals")}

    def read_signed(self, signed: SignedBody, *, secrets: Sequence[Secret]) -> tuple[HookEvent, ...]:
        """Verify the raw body by the world's clock, then read its events. Raises what the provider's modules name."""
        signature = self._parts["signature"]
        delivery = signature.Delivery(method="POST", uri=signed.uri, headers=signed.headers, body=signed.body)
        signature.verify(delivery, secrets=secrets, now=world_time())
        return cast("tuple[HookEvent, ...]", self._parts["webhook"].read_events(signed.body))

    def read_deal(
        self, runner: Runner, deal_id: str, *, properties: Sequence[str], attempt: int, signed: SignedIn
    ) -> DealAnswer:
        """Read a deal with its companies and people. Holds no session."""
        deals = self._parts["deals"]
        ref = deals.DealRef(deal_id=deal_id, properties=tuple(properties), attempt=attempt)
        return cast("DealAnswer", deals.read_deal(runner, ref, signed))

    @staticmethod
    def _module(provider: str, name: str) -> Any:
        try:
            return import_module(f"app.connectors.catalog.{provider}.{name}")
        except ModuleNotFoundError as error:
            raise NotACRM(f"The connector {provider} does not speak of deals: it has no {name} module.") from error


def event_body(event: HookEvent) -> dict[str, Any]:
    """The event as plain JSON, to be kept."""
    body: dict[str, Any] = msgspec.to_builtins(event)
    return body
