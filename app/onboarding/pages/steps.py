"""Which page a step has: a form of its questions, or what its kind needs."""

from __future__ import annotations

from typing import Any

from app.access.roles import CUSTOMER_ROLES
from app.kernel.work import Work
from app.onboarding.handing.showing import handing_page
from app.onboarding.queries.customer import task_page
from app.onboarding.queries.picture import Picture
from app.onboarding.signing.showing import signing_page


def step_page(work: Work, picture: Picture, task: str) -> tuple[str, dict[str, Any]]:
    """The page of a step for the reader's side, and what is on it. Raises OnboardingMissing."""
    item = picture.item(task)
    side = "customer" if work.rights & CUSTOMER_ROLES else "partner"
    if item.handover is not None:
        return f"handing/{side}", handing_page(work, picture, item, item.handover)
    if item.signing is not None:
        return f"signing/{side}", signing_page(work, picture, item, item.signing)
    return "customer_task", task_page(work, picture, task)
