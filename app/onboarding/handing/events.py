"""What is announced when credentials are handed over: whose, for what, which fields; never what they are."""

from __future__ import annotations

from typing import ClassVar

from app.onboarding.events import OfOnboarding


class CredentialsGiven(OfOnboarding, frozen=True, kw_only=True):
    """Credentials for another system were handed over. `again`: they replace what had been given before."""

    type: ClassVar[str] = "onboarding.credentials.given"

    task: str
    connector: str
    fields: list[str]
    again: bool
