"""What is announced when a run goes on with another version of its template."""

from __future__ import annotations

from typing import ClassVar

from app.onboarding.events import OfOnboarding


class MigrationProposed(OfOnboarding, frozen=True, kw_only=True):
    """Somebody asks that it goes on with another version of its template."""

    type: ClassVar[str] = "onboarding.migration.proposed"

    version: str
    definition_digest: str
    plan: str


class MigrationDeclined(OfOnboarding, frozen=True, kw_only=True):
    """It goes on with the version that it has."""

    type: ClassVar[str] = "onboarding.migration.declined"

    version: str


class OnboardingMigrated(OfOnboarding, frozen=True, kw_only=True):
    """It goes on with another version of its template: which items moved, were left out, or came too late."""

    type: ClassVar[str] = "onboarding.migrated"

    version: str
    definition_digest: str
    before: str
    proposed_by: str | None
    items: dict[str, str]
    dropped: list[str]
    not_needed: list[str]
