"""Checks of keys: no wrapping key without a tenant, no tenant without a wrapping key. Opens nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from app.bootstrap.keys import vault_of
from app.demo.checks.finding import Finding, Patient
from app.demo.checks.servers import CONTROL
from app.kernel.errors import SlipwayError
from app.settings import BadSettings, Settings
from app.vault.keepers.local_keys import LocalKeys
from app.vault.keepers.wrapping import KeyState, WrappingKeys
from tenants.registry import tenant_states
from tenants.schema.install import read_key
from tenants.sessions import DatabaseAway

NAME = "Keys"
_LIVING = frozenset({"active", "suspended", "exporting"})  # states in which a tenant has something to open
_GONE = frozenset({"shredded", "dropped"})
_SHOWN = 3  # ids named in one line


def keys(patient: Patient) -> Finding:
    """Whether keys and tenants belong together, one to one."""
    if not patient.environ.get(CONTROL):
        return Finding(NAME, True, "embedded: made and kept by `slipway demo`")
    try:
        settings = Settings.from_environment(patient.environ)
        keeper = vault_of(settings, prefix=read_key(settings.control_url).prefix) or LocalKeys(settings.keyring)
        wrong = astray(keeper, settings.control_url)
        count = len(keeper.states())
    except BadSettings as error:
        said = "; ".join(f"{name} {text}" for name, text in error.errors)
        return Finding(NAME, False, f"cannot be compared: {said}", "Correct it.", required=False)
    except (SlipwayError, DatabaseAway, LookupError) as error:
        mend = "Mend that first, or run `slipway install` where nothing is installed yet."
        return Finding(NAME, False, f"cannot be compared: {error}", mend, required=False)
    if wrong:
        return Finding(NAME, False, "; ".join(wrong), 'See docs/access/keys.md, "When keys and tenants do not fit".')
    return Finding(NAME, True, f"{count} keys, each with its tenant")


def astray(keeper: WrappingKeys, control_url: str) -> list[str]:
    """What does not belong together, in words. A tenant that is just being made is looked at twice."""
    found = _compared(keeper.states(), tenant_states(control_url))
    return _compared(keeper.states(), tenant_states(control_url)) if found else found


def _compared(keys: Mapping[UUID, KeyState], tenants: Mapping[UUID, str]) -> list[str]:
    there = {tenant for tenant, state in keys.items() if state is not KeyState.DESTROYED}
    living = {tenant for tenant, state in tenants.items() if state in _LIVING}
    gone = {tenant for tenant in there if tenants.get(tenant, "dropped") in _GONE}
    questions = (
        ("wrapping keys without a tenant", gone),
        ("tenants without a wrapping key", living - there),
        ("destroyed keys that are back", {tenant for tenant, state in keys.items() if state is KeyState.RETURNED}),
    )
    return [f"{len(ids)} {words}: {_named(ids)}" for words, found in questions if (ids := sorted(found))]


def _named(ids: Iterable[UUID]) -> str:
    named = [str(id_) for id_ in ids]
    return ", ".join(named[:_SHOWN]) + (", …" if len(named) > _SHOWN else "")
