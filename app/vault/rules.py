"""Which program may open which secret (DESIGN 6). Decides by name; the keys themselves stand in `keyring.py`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID


class Program(StrEnum):
    """A running part of Slipway, as the supervisor starts it."""

    WEB = "web"
    WORKER = "worker"
    DISPATCHER = "dispatcher"
    OPERATOR = "operator"  # the command line, for rotation and repair


class DoorPurpose(StrEnum):
    """What a door secret is for: the list is closed, a new purpose is a new line here with its openers."""

    WEBHOOK_VERIFICATION = "webhook_verification"  # of messages that come in at /hooks/{token}
    INBOUND_HOOK = "inbound_hook"  # of messages that come in by a connection's own address
    OIDC_CLIENT = "oidc_client"  # our client secret at a partner's or tenant's identity provider
    MAIL_SIGNING = "mail_signing"  # DKIM key of a brand's mail domain
    WEBHOOK_SIGNING = "webhook_signing"  # of webhooks that go out
    TRAIL_SIGNING = "trail_signing"  # of checkpoints of the tenant's trail
    PACKAGE_SIGNING = "package_signing"  # of templates that the home's organisation offers to others
    FILE = "file"  # keys of files, one each: opened where somebody may read that file, and for an export


CONNECTION: Final = "connection"
DOOR: Final = "door"
OPENERS: Final[dict[DoorPurpose, frozenset[Program]]] = {
    DoorPurpose.WEBHOOK_VERIFICATION: frozenset({Program.WEB}),
    DoorPurpose.INBOUND_HOOK: frozenset({Program.WEB}),
    DoorPurpose.OIDC_CLIENT: frozenset({Program.WEB}),
    DoorPurpose.MAIL_SIGNING: frozenset({Program.WORKER}),
    DoorPurpose.WEBHOOK_SIGNING: frozenset({Program.WORKER}),
    DoorPurpose.TRAIL_SIGNING: frozenset({Program.WORKER}),
    DoorPurpose.PACKAGE_SIGNING: frozenset({Program.WORKER}),
    DoorPurpose.FILE: frozenset({Program.WEB, Program.WORKER, Program.OPERATOR}),
}


@dataclass(frozen=True, slots=True)
class SecretContext:
    """Which value it is: of this tenant, this secret row, this field; `purpose` is a DoorPurpose or `connection`."""

    tenant_id: UUID
    secret_id: UUID
    field: str
    purpose: str = CONNECTION


def is_door_purpose(purpose: str) -> bool:
    """Whether a secret of this purpose is a door secret."""
    return purpose in set(DoorPurpose)


def can_open(program: Program, purpose: str) -> bool:
    """Whether the program guards what this purpose is for; connection secrets are for a worker's run only."""
    if purpose == CONNECTION:
        return program is Program.WORKER
    return is_door_purpose(purpose) and program in OPENERS[DoorPurpose(purpose)]
