"""What the forms of hooks send. A secret is read beside them: it is part of no schema."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from app.connectors.inbound.rules import LONGEST_OVERLAP, OVERLAP
from app.web.translations import mark

LONGEST_SECRET = 8_000  # characters


class OverlapForm(Struct, frozen=True):
    """For how long the one before goes on beside the new one."""

    hours: Annotated[
        int,
        Meta(ge=0, le=LONGEST_OVERLAP, extra={"sentence": mark("Write a whole number from 0 to 168.")}),
    ] = OVERLAP
