"""The partner's home, from cards alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.onboarding.models import OnboardingCard
from app.onboarding.queries.home import HomeView, Wanted, home_page

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
NEED: dict[str, object] = {
    "key": "crm",
    "owner": {},
    "people": [],
    "title": {"en": "Link the CRM"},
    "due_at": None,
    "since": None,
}


def row(*needs: dict[str, object]) -> dict[str, object]:
    ids: dict[str, Any] = {"tenant_id": UUID(int=1), "onboarding_id": UUID(int=2)}
    card = OnboardingCard(**ids, name="Acme", state="running", needs=list(needs), changed_at=NOW)
    [line] = home_page(HomeView([card], NOW), Wanted())["onboardings"]
    return dict(line)


class TestARowOfTheHome:
    def test_says_why_an_onboarding_is_stuck(self):
        stuck = NEED | {"kind": "exception", "state": "blocked", "reason": "integration_failure"}
        assert row(stuck)["state"] == "stuck"
        assert row(stuck)["reason"] == "Integration failure"

    def test_says_no_reason_where_there_is_no_exception(self):
        assert row(NEED | {"kind": "task", "state": "open", "reason": ""})["reason"] == ""
