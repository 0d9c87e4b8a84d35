"""What software sends to change the course of an onboarding, or to do something about an exception."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

_KEY = Annotated[str, Meta(min_length=1, max_length=200)]
_WHY = Annotated[str, Meta(min_length=1, max_length=2000, description="Is kept in the trail.")]
_SAID = Annotated[str, Meta(max_length=2000)]


class Said(Struct, frozen=True, forbid_unknown_fields=True):
    """A reason that may be left out."""

    reason: _SAID = ""


class Reason(Struct, frozen=True, forbid_unknown_fields=True):
    """A reason."""

    reason: _WHY


class HoldWish(Struct, frozen=True, forbid_unknown_fields=True):
    """What an onboarding waits for, by reason code and in words."""

    reason_code: _KEY
    reason: _WHY


class RollBackWish(Struct, frozen=True, forbid_unknown_fields=True):
    """The stage that begins anew, with every later one."""

    stage: _KEY
    reason: _WHY


class AnswerWish(Struct, frozen=True, forbid_unknown_fields=True):
    """The first response: what will be done."""

    note: _WHY


class RouteWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose a problem is to be: a role's (null: the one that has it), and somebody by name (null: nobody)."""

    reason: _WHY
    role: _KEY | None = None
    person: UUID | None = None


class RetryWish(Struct, frozen=True, forbid_unknown_fields=True):
    """When the step is tried once more, within a year."""

    at: Annotated[datetime, Meta(tz=True)]
    reason: _WHY


class AgreementWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether what is proposed is done, by the digest of what was read; to decline it needs a reason."""

    agreed: bool
    proposal: Annotated[str, Meta(max_length=64)]
    reason: _SAID = ""
