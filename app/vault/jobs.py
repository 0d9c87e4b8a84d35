"""The queue door of key rotations.

Read, ask the keeper of keys with no session in reach, write: killed anywhere, the next attempt goes on from what the
rows say.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.kernel.outcomes import Done, NeedsPerson, Outcome, TryAgain
from app.kernel.queue.jobs import JobRun, job
from app.kernel.work import Work
from app.vault.envelope import SecretUnreadable
from app.vault.keyring import Keyring
from app.vault.operations.rotation import (
    TENANT,
    WRAPPING,
    Resealed,
    Rewrapped,
    add_keys,
    ask_retirement,
    drop_old_keys,
    record_finished,
    record_stopped,
    store_resealed,
    store_rewrapped,
)
from app.vault.queries import KeysMissing, context_of, keys_in_use, stale_rows
from app.vault.rules import SecretContext
from app.vault.tenant_keys import TenantKeys, next_tenant_keys, reseal, rewrap_keys

BATCH: Final = 50  # rows of one transaction
_FIRST_ID: Final = UUID(int=0)
_SOON: Final = timedelta(seconds=2)


def wrapping_stopped(work: Work, _args: dict[str, Any], reason: str) -> None:
    """The rotation of the wrapping key came to no end: the trail says so."""
    record_stopped(work, key=WRAPPING, reason=reason)


def keys_stopped(work: Work, _args: dict[str, Any], reason: str) -> None:
    """The same for the tenant's own keys."""
    record_stopped(work, key=TENANT, reason=reason)


@job("vault.rotate_wrapping_key", attempts=12, lease=timedelta(seconds=30), given_up=wrapping_stopped)
def rotate_wrapping_key(run: JobRun, *, beyond: int) -> Outcome:
    """A new version of the wrapping key, and every version of the tenant's keys wrapped by it."""
    newest = run.runtime.service(Keyring).wrapping.rotate(run.tenant.id, beyond=beyond)
    changed = _rewrapped(run, below=newest)
    with run.finish() as work:
        store_rewrapped(work, changed)
        ask_retirement(work, below=newest)
    return Done()


@job("vault.retire_wrapping_key", attempts=12, lease=timedelta(seconds=30), given_up=wrapping_stopped)
def retire_wrapping_key(run: JobRun, *, below: int) -> Outcome:
    """Destroy the older versions, when nothing is wrapped by them any more."""
    if changed := _rewrapped(run, below=below):
        with run.work() as work:
            store_rewrapped(work, changed)
        return TryAgain(after=_SOON, reason="keys were still wrapped by an older version")
    run.runtime.service(Keyring).wrapping.retire(run.tenant.id, below=below)
    with run.finish() as work:
        record_finished(work, key=WRAPPING, version=below)
    return Done()


@job("vault.rotate_tenant_keys", attempts=12, lease=timedelta(seconds=30), given_up=keys_stopped)
def rotate_tenant_keys(run: JobRun, *, beyond: int) -> Outcome:
    """New keys for the tenant, every secret sealed with them, the old ones taken away."""
    newest = _newest_keys(run, beyond=beyond)
    unreadable = _reseal_all(run, newest)
    with run.work() as work:
        left = drop_old_keys(work)
    if left is None or left > len(unreadable):
        return TryAgain(after=_SOON, reason="secrets were written with the older keys meanwhile")
    if left:
        return NeedsPerson(f"{left} secrets cannot be opened and keep the older keys alive. Enter them again.")
    with run.finish() as work:
        record_finished(work, key=TENANT, version=newest.version)
    return Done()


def _rewrapped(run: JobRun, *, below: int) -> list[Rewrapped]:
    """The tenant's keys that an older version wraps, wrapped anew."""
    keyring = run.runtime.service(Keyring)
    with run.work() as work:
        versions = keys_in_use(work).by_version.values()
    behind = [keys for keys in versions if keyring.wrapping.version_of(keys.wrapped_dek) < below]
    return [Rewrapped(keys, rewrap_keys(keyring, keys, run.tenant.id)) for keys in behind]


def _newest_keys(run: JobRun, *, beyond: int) -> TenantKeys:
    """The keys above `beyond`: those that an earlier attempt has made, or new ones."""
    with run.work() as work:
        newest = keys_in_use(work).newest
    if newest.version > beyond:
        return newest
    made = next_tenant_keys(run.runtime.service(Keyring), run.tenant.id, version=newest.version + 1)
    with run.work() as work:
        add_keys(work, made)
    return made


def _reseal_all(run: JobRun, newest: TenantKeys) -> list[UUID]:
    """Batch by batch, a transaction each. Returns what could not be opened: it stays as it is."""
    keyring, last, unreadable = run.runtime.service(Keyring), _FIRST_ID, list[UUID]()
    while True:
        with run.work() as work:
            keys = keys_in_use(work)
            rows = stale_rows(work, below=newest.version, after=last, limit=BATCH)
            found = [(context_of(work, row), row.key_version, row.sealed) for row in rows]
        if not found:
            return unreadable
        changed = []
        for context, version, sealed in found:
            try:
                after = reseal(keyring, (keys.of(version), newest), context, sealed)
            except (SecretUnreadable, KeysMissing):
                unreadable.append(context.secret_id)
            else:
                changed.append(_changed(context, sealed, after, newest))
        with run.work() as work:
            store_resealed(work, changed)
        last = found[-1][0].secret_id


def _changed(context: SecretContext, before: bytes, after: bytes, keys: TenantKeys) -> Resealed:
    return Resealed(context.secret_id, before=before, after=after, key_version=keys.version)
