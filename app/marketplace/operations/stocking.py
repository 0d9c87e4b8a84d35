"""Puts templates of the library on offer to everybody, as the operator's own: by content address, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from app.kernel.work import Work
from app.marketplace.checking.checks import SOUND
from app.marketplace.operations.offering import Offer, submissions_of, submit
from app.marketplace.rules import CLOSED, Visibility
from app.templates.language import Template
from app.templates.operations import publish

SYSTEM_ONLY = {"stock": "an operator's command, and set-up: whoever runs the installation answers for the library"}
_NEW: Final = "Made and maintained with this installation."


def stock(work: Work, template: Template, states: Mapping[UUID, str]) -> bool:
    """Publish it in the operator's home and offer it; whether it was not on offer before.

    It is checked like all others; that no second person reviews it is for the operator's own alone. Raises what
    `submit` does.
    """
    known = submissions_of(work, template.id)
    if any(each["digest"] == template.digest and states.get(UUID(each["id"])) not in CLOSED for each in known):
        return False
    SOUND.add(template.digest)
    publish(work, template)
    work.session.flush()
    submit(work, Offer(template.digest, (), Visibility.PUBLIC, _NEW, vouched=True), states)
    return True
