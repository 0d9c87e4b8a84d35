"""What is stored of a running onboarding: its row, its state, the definition it is pinned to."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy.orm import Session

from app.flow.definition import Definition
from app.flow.parts.unfolding import unfold
from app.flow.reading import read_definition
from app.flow.state import Parts, State
from app.kernel.errors import Missing
from app.kernel.work import Work
from app.onboarding.models import Onboarding
from app.templates.queries import get_pinned


class OnboardingMissing(Missing):
    """There is no such onboarding in this workspace."""


_KEPT = 64  # compiled definitions a process holds; the oldest makes room
_compiled: dict[str, Definition] = {}


def definition_of(work: Work, digest: str) -> Definition:
    """The compiled definition that running work is pinned to.

    Read and compiled once a process: the digest is the address of the content, so it is the same in every tenant.
    """
    known = _compiled.get(digest)
    if known is None:
        known = read_definition(get_pinned(work.session, digest).document, digest)
        while len(_compiled) >= _KEPT:
            _compiled.pop(next(iter(_compiled)), None)
        _compiled[digest] = known
    return known


def plan_of(work: Work, onboarding: Onboarding) -> Definition:
    """The definition as it is in this onboarding: with an item for each time that a repeated part happens."""
    definition = definition_of(work, onboarding.definition_digest)
    if not definition.repeats:
        return definition
    return unfold(definition, msgspec.convert(onboarding.snapshot.get("parts", {}), dict[str, Parts]))


def state_of(onboarding: Onboarding) -> State:
    """The engine's state as it was stored with the last journal entry."""
    return msgspec.convert(onboarding.snapshot, State)


def find_onboarding(session: Session, onboarding_id: UUID) -> Onboarding:
    """The onboarding's row; in the tenant's scope. Raises OnboardingMissing."""
    onboarding = session.get(Onboarding, onboarding_id)
    if onboarding is None:
        raise OnboardingMissing("This onboarding is not here. It may belong to another workspace.")
    return onboarding
