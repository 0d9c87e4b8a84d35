"""What is said of a trouble (RFC 9457), as a shape that answers of other things may hold too."""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct):
    """Where in the input something does not fit."""

    pointer: str
    detail: str


class Problem(msgspec.Struct):
    """A trouble (RFC 9457). The last part of `type` is stable; `trace_id` is what to quote when you ask about it."""

    type: str
    title: str
    status: int
    detail: str
    trace_id: str
    errors: list[Place] = []
