"""What may follow what: states of a version on offer, who sees it, what may be submitted and installed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from app.kernel.errors import Conflict, Invalid
from app.templates.overlays.versions import precedence
from app.web.translations import mark


class State(StrEnum):
    """Where a submitted version stands. Refused ones may be submitted again; all that was listed stays known."""

    FAILED = "failed"  # an automatic check did not pass
    IN_REVIEW = "in_review"  # waits for a person of the operator
    DECLINED = "declined"
    LISTED = "listed"
    DEPRECATED = "deprecated"  # still there, and whoever has it knows until when and what to use instead
    WITHDRAWN = "withdrawn"  # by the publisher
    TAKEN_DOWN = "taken_down"  # by the operator


class Visibility(StrEnum):
    """Who finds it: the own organisation, all organisations below it too, or everybody."""

    PRIVATE = "private"
    SUB_PARTNERS = "sub_partners"
    PUBLIC = "public"


OFFERED: Final = frozenset({State.LISTED, State.DEPRECATED})
CLOSED: Final = frozenset({State.FAILED, State.DECLINED, State.WITHDRAWN})  # the same version may be submitted anew
ENDED: Final = frozenset({State.WITHDRAWN, State.TAKEN_DOWN})
FROM: Final[dict[State, frozenset[State]]] = {
    State.LISTED: frozenset({State.IN_REVIEW}),
    State.DECLINED: frozenset({State.IN_REVIEW}),
    State.DEPRECATED: frozenset({State.LISTED}),
    State.WITHDRAWN: frozenset({State.IN_REVIEW, State.LISTED, State.DEPRECATED}),
    State.TAKEN_DOWN: frozenset({State.LISTED, State.DEPRECATED}),
}


class VersionOffered(Conflict):
    """Its submission from before is not closed."""


class VersionBehind(Conflict):
    """A later version of the same major number is there already: this would go back."""


class OfferMovedOn(Conflict):
    """It is not in a state from which this could be done."""


class ReasonMissing(Invalid):
    """Somebody has to be told why."""


def may_become(state: str, wanted: State) -> bool:
    """Whether a version in this state can come into the wanted one."""
    return state in FROM[wanted]


def first_state(visibility: Visibility, *, passed: bool, vouched: bool = False) -> State:
    """Where a submission stands after the automatic checks: only what everybody will see waits for a review.

    `vouched`: the operator's own templates, for which whoever runs the installation answers.
    """
    if not passed:
        return State.FAILED
    return State.IN_REVIEW if visibility is Visibility.PUBLIC and not vouched else State.LISTED


def check_submission(version: str, earlier: Iterable[tuple[str, str]]) -> None:
    """A version is offered once, and after every earlier one of its major number. Raises VersionOffered, VersionBehind.

    `earlier` are versions that were submitted before, with their states.
    """
    standing = [known for known, state in earlier if state not in CLOSED]
    if version in standing:
        raise VersionOffered(mark("This version is on offer already, or waits for its review. Offer a newer one."))
    require_forward(version, standing)


def require_forward(version: str, known: Collection[str]) -> None:
    """Refuse a way back within a major number: an old version in the place of a new one. Raises VersionBehind."""
    if any(major(each) == major(version) and precedence(each) > precedence(version) for each in known):
        raise VersionBehind(mark("A newer version is there already. An older one would go back to what was replaced."))


def listing_id_of(organisation_id: UUID, template: str) -> UUID:
    """Which listing it is: the organisation's of this template, in every version."""
    return uuid5(organisation_id, f"listing:{template}")


def require_seen(seen: str, package: str) -> None:
    """A person approves what they have looked at: the package with this hash. Raises OfferMovedOn."""
    if seen != package:
        raise OfferMovedOn(mark("This is not the package that waits. Look at it again, then decide."))


def newest(versions: Collection[str]) -> str:
    """The last of several versions; pre-releases come before what they lead to."""
    return max(versions, key=precedence)


def major(version: str) -> int:
    """The number that says what people do has changed."""
    return precedence(version)[0][0]


def require_reason(reason: str) -> str:
    """The reason, without what surrounds it. Raises ReasonMissing."""
    if not reason.strip():
        sentence = mark("Say why: whoever is concerned reads it.")
        raise ReasonMissing(sentence, errors=[("reason", sentence)])
    return reason.strip()
