"""What is announced of an upgrade: in the partner's home its course, in a workspace what it did there."""

from __future__ import annotations

from typing import ClassVar

from app.kernel.events import Event
from app.onboarding.events import OfOnboarding


class OfUpgrade(Event, frozen=True, kw_only=True):
    """Something that happened to an upgrade as a whole, in the partner's home."""

    subject_kind: ClassVar[str] = "upgrade"

    template: str
    version: str


class UpgradeAsked(OfUpgrade, frozen=True, kw_only=True):
    """Somebody wants these onboardings to go on with another version; a dry run begins."""

    type: ClassVar[str] = "onboarding.upgrade.asked"

    definition_digest: str
    onboardings: int


class UpgradeLooked(OfUpgrade, frozen=True, kw_only=True):
    """The dry run is over: so many would go, by what it found."""

    type: ClassVar[str] = "onboarding.upgrade.looked"

    preview: str
    counts: dict[str, int]


class UpgradeAgreed(OfUpgrade, frozen=True, kw_only=True):
    """Another person agreed to exactly what the dry run showed."""

    type: ClassVar[str] = "onboarding.upgrade.agreed"

    preview: str


class UpgradeDeclined(OfUpgrade, frozen=True, kw_only=True):
    """It is not done."""

    type: ClassVar[str] = "onboarding.upgrade.declined"


class UpgradeStopped(OfUpgrade, frozen=True, kw_only=True):
    """A person stopped it; what was done stays done."""

    type: ClassVar[str] = "onboarding.upgrade.stopped"


class UpgradeResumed(OfUpgrade, frozen=True, kw_only=True):
    """A person let it go on where it was stopped."""

    type: ClassVar[str] = "onboarding.upgrade.resumed"


class UpgradeTakenBack(OfUpgrade, frozen=True, kw_only=True):
    """A person wants so many of its onboardings to go on with what they ran before."""

    type: ClassVar[str] = "onboarding.upgrade.taken_back"

    onboardings: int


class UpgradeEnded(OfUpgrade, frozen=True, kw_only=True):
    """Its step is over, with what became of the onboardings."""

    type: ClassVar[str] = "onboarding.upgrade.ended"

    step: str
    counts: dict[str, int]


class OnboardingUpgraded(OfOnboarding, frozen=True, kw_only=True):
    """It went on with another version as part of an upgrade of many; `agreed` is the entry in the home's trail."""

    type: ClassVar[str] = "onboarding.upgraded"

    upgrade: str
    agreed: str
    plan: str
    before: str


class OnboardingTakenBack(OfOnboarding, frozen=True, kw_only=True):
    """It goes on with exactly the definition that it ran before the upgrade; `dropped` only the newer one has."""

    type: ClassVar[str] = "onboarding.taken_back"

    upgrade: str
    definition_digest: str
    dropped: list[str]
