"""HubSpot's webhook body: a JSON array of events. Whether it is HubSpot's is for `signature`, before this is called."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

import msgspec

from app.kernel.errors import Invalid

# HubSpot sends at most 100 events in a delivery.
MOST_EVENTS = 100
DEAL_TYPE_ID = "0-3"

_Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Text = Annotated[str, msgspec.Meta(max_length=4000)]


class WebhookMalformed(Invalid):
    """The body is signed, yet not what HubSpot documents."""


class WebhookEvent(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """One change in one HubSpot account. It names the object; what it holds now is read back from the API."""

    event_id: _Number
    subscription_id: _Number
    portal_id: _Number
    occurred_at: _Number
    subscription_type: _Text
    object_id: _Number
    app_id: _Number = 0
    attempt_number: _Number = 0
    object_type_id: _Text = ""
    property_name: _Text = ""
    property_value: _Text = ""
    change_source: _Text = ""
    source_id: _Text = ""

    @property
    def delivery_key(self) -> str:
        """The same in every attempt. HubSpot's eventId alone is documented as not unique."""
        parts = (self.portal_id, self.subscription_id, self.event_id, self.object_id, self.occurred_at)
        return ":".join(str(part) for part in parts)

    def moves_deal_to(self, stages: Collection[str] = frozenset({"closedwon"})) -> bool:
        """Whether a deal was moved to one of these stages; pipelines of one's own have their own stage ids."""
        is_deal = self.subscription_type == "deal.propertyChange" or (
            self.subscription_type == "object.propertyChange" and self.object_type_id == DEAL_TYPE_ID
        )
        return is_deal and self.property_name == "dealstage" and self.property_value in stages


_DECODER = msgspec.json.Decoder(Annotated[list[WebhookEvent], msgspec.Meta(max_length=MOST_EVENTS)])


def read_events(body: bytes) -> tuple[WebhookEvent, ...]:
    """The events of a delivery, in its order, which is not always that of the changes. Raises WebhookMalformed."""
    try:
        return tuple(_DECODER.decode(body))
    except (msgspec.DecodeError, RecursionError) as error:
        raise WebhookMalformed(f"The body is not an array of HubSpot events: {error}.") from error
