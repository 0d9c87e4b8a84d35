"""What every new tenant is born with: its keys, and the partner's default delegation, visible and revocable.

A sandbox is also promised something to look at.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from app.access.operations import give_default_delegation
from app.kernel.work import Work
from app.tenancy.operations.creation import Seeder
from app.vault.keyring import Keyring
from app.vault.operations import make_keys

_PAST = text("SELECT 1 FROM trail LIMIT 1")
_ROUTED = timedelta(seconds=1)  # by then the directory leads to the tenant; a job that is earlier waits for its lease


def seeder(keyring: Keyring) -> Seeder:
    """The seeds of this installation, in order."""

    def keys(work: Work) -> None:
        make_keys(work, keyring)

    def delegation(work: Work) -> None:
        if work.tenant.kind != "home":
            give_default_delegation(work)

    def practice(work: Work) -> None:
        """Later, in a job: who asks for a sandbox does not wait. One that arrives with a past keeps it."""
        if work.tenant.kind == "sandbox" and not work.session.execute(_PAST).first():
            run_at = work.database_now + _ROUTED
            work.enqueue("onboarding.fill_sandbox", dedupe_key="sandbox:fill", run_at=run_at)

    return Seeder(keys, delegation, practice)
