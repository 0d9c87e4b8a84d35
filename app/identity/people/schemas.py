"""What the forms of people send."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from app.identity.schemas import PLAIN_ADDRESS
from app.web.translations import mark

Address = Annotated[
    str,
    Meta(
        pattern=PLAIN_ADDRESS,
        max_length=254,
        extra={"sentence": mark("This is not an e-mail address such as name@example.org.")},
    ),
]
Name = Annotated[str, Meta(min_length=1, max_length=120)]
Reason = Annotated[str, Meta(max_length=500)]


class InvitationForm(Struct, frozen=True):
    """Who is asked in, and as what: one role in a workspace, several of a partner's staff."""

    email: Address
    name: Name
    roles: list[str] = []
    role: str = ""
    reason: Reason = ""


class RolesForm(Struct, frozen=True):
    """What somebody is to be from now on."""

    roles: list[str] = []
    role: str = ""
    reason: Reason = ""


class RemovalForm(Struct, frozen=True):
    """Why somebody is removed."""

    reason: Reason = ""
