"""`slipway keys`: how far rotations are, rotate, switch off and on, destroy. Workers do the rotations."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from uuid import UUID, uuid5

from app.bootstrap.wiring import Running, open_program
from app.kernel.actor import Actor
from app.kernel.errors import Invalid, Missing, SlipwayError
from app.kernel.ids import new_id
from app.kernel.work import Work, open_work
from app.settings import Settings
from app.vault.envelope import SecretUnreadable
from app.vault.keepers.wrapping import KeyState
from app.vault.keyring import Keyring
from app.vault.operations.rotation import ask_rotation
from app.vault.operations.switch import KEYS_TOPIC, destroy_keys, disable_keys, enable_keys
from app.vault.queries import key_use, rotations_under_way
from app.vault.rules import Program
from tenants.registry import all_tenants, one_tenant, tenant_states
from tenants.sessions import DatabaseAway, dispatcher_session
from tenants.tenant import STATES, Tenant

_TURNING = frozenset({"active", "suspended"})  # tenants whose keys rotate; a suspended one's jobs wait for it
_ANY = frozenset(STATES)
_GONE = frozenset({"shredded", "dropped"})
_PROGRESS = 100  # tenants between two lines of progress


class NotConfirmed(Invalid):
    """What cannot be undone was not confirmed."""


class NoSuchTenant(Missing):
    """No workspace of that id has a place here."""


def run_keys(arguments: list[str]) -> int:
    """Do one of them; 1 when a tenant's part of it failed. Raises SlipwayError for trouble with all of it."""
    chosen = _parse(arguments)
    running = open_program(Settings.from_environment(), Program.OPERATOR)
    try:
        verbs = {"status": _status, "rotate": _rotate, "disable": _switch, "enable": _switch, "destroy": _destroy}
        return verbs[chosen.verb](running, chosen)
    finally:
        running.close()


def _status(running: Running, chosen: argparse.Namespace) -> int:
    """A line for each tenant that is not simply in order, or for the one asked about; then the sums."""
    keyring, failed, counted = _keyring(running), 0, dict.fromkeys(KeyState, 0)
    states = keyring.wrapping.states()
    jobs: dict[UUID, list[str]] = {}
    for cell in running.runtime.databases.cells:
        with dispatcher_session(running.runtime.databases, cell, actor="keys") as (session, _now):
            jobs |= rotations_under_way(session)
    for tenant in _chosen(running, chosen):
        state = states.get(tenant.id)
        if state is not None:
            counted[state] += 1
        if tenant.state not in _TURNING:
            continue
        try:
            with _work(running, tenant) as work:
                found = _how_far(work, keyring)
        except (SlipwayError, DatabaseAway) as error:
            found, failed = str(error), failed + 1
        busy = jobs.get(tenant.id, [])
        if chosen.tenant or busy or state is not KeyState.ACTIVE or "," in found:
            _say(f"{tenant.id}  {tenant.name}: key {state or 'missing'}; {found}" + "".join(f"; {job}" for job in busy))
    _say(", ".join(f"{number} {state}" for state, number in counted.items() if number) or "no keys")
    return int(failed > 0)


def _how_far(work: Work, keyring: Keyring) -> str:
    """Secrets by version of the tenant's keys, and what wraps these: `12 secrets by v2 (wrapped by 1)`."""
    use = key_use(work)
    return ", ".join(
        f"{use.secrets.get(version, 0)} secrets by v{version} (wrapped by {_wrapped_by(keyring, wrapped)})"
        for version, wrapped in sorted(use.wrapped.items())
    )


def _wrapped_by(keyring: Keyring, wrapped: bytes) -> str:
    try:
        return str(keyring.wrapping.version_of(wrapped))
    except SecretUnreadable:
        return "another keeper"


def _rotate(running: Running, chosen: argparse.Namespace) -> int:
    """Ask for the rotations; one tenant's trouble does not stop the others."""
    keyring, asked, failed = _keyring(running), 0, 0
    both = chosen.kek == chosen.dek
    for tenant in _chosen(running, chosen):
        if tenant.state not in _TURNING:
            continue
        try:
            with _work(running, tenant) as work:
                ask_rotation(work, keyring, wrapping=chosen.kek or both, keys=chosen.dek or both)
        except (SlipwayError, DatabaseAway) as error:
            _say(f"{tenant.id}  {tenant.name}: {error}")
            failed += 1
            continue
        asked += 1
        if asked % _PROGRESS == 0:
            _say(f"{asked} asked")
    _say(f"{asked} asked, {failed} refused; workers do the rest: slipway keys status")
    return int(failed > 0)


def _switch(running: Running, chosen: argparse.Namespace) -> int:
    """The kill switch of one tenant."""
    turn = disable_keys if chosen.verb == "disable" else enable_keys
    for tenant in _chosen(running, chosen):
        with _work(running, tenant) as work:
            turn(work, _keyring(running), reason=chosen.reason)
        _say(f"{tenant.id}  {tenant.name}: keys {chosen.verb}d")
    return 0


def _destroy(running: Running, chosen: argparse.Namespace) -> int:
    """The end of a tenant's secrets and files."""
    if chosen.confirm != chosen.tenant:
        raise NotConfirmed("This cannot be undone. Repeat the workspace's id after --confirm to do it.")
    tenant = one_tenant(running.settings.control_url, chosen.tenant)
    if tenant is None or tenant.state in _GONE:
        return _destroy_left_over(running, chosen.tenant)
    with _work(running, tenant) as work:
        effective_at = destroy_keys(work, _keyring(running), reason=chosen.reason)
    until = f"unreadable in every backup from {effective_at:%Y-%m-%d %H:%M} UTC"
    _say(f"{tenant.id}  {tenant.name}: destroyed; {until}")
    return 0


def _destroy_left_over(running: Running, tenant_id: UUID) -> int:
    """A key whose tenant is gone (the doctor names them). Raises NoSuchTenant for one that is just being made."""
    if tenant_states(running.settings.control_url).get(tenant_id, "dropped") not in _GONE:
        raise NoSuchTenant(f"The workspace {tenant_id} is just being made. Try again in a moment.")
    _keyring(running).wrapping.destroy(tenant_id)
    running.wake.publish([KEYS_TOPIC])
    _say(f"{tenant_id}: destroyed; no workspace has this id, so no trail says so")
    return 0


def _chosen(running: Running, chosen: argparse.Namespace) -> Iterator[Tenant]:
    """The tenant that was named, else all of them, page by page. Raises NoSuchTenant."""
    if chosen.tenant is None:
        yield from all_tenants(running.settings.control_url)
        return
    tenant = one_tenant(running.settings.control_url, chosen.tenant)
    if tenant is None:
        raise NoSuchTenant(f"No workspace has the id {chosen.tenant}.")
    yield tenant


def _work(running: Running, tenant: Tenant) -> AbstractContextManager[Work]:
    installation = running.runtime.databases.key.id
    operator = Actor(kind="service", id=uuid5(installation, "operator"), name="operator")
    return open_work(running.runtime, tenant, operator, trace_id=f"keys-{new_id()}", states=_ANY)


def _keyring(running: Running) -> Keyring:
    return running.runtime.service(Keyring)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="slipway keys", description="The keys of tenants.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    status = verbs.add_parser("status", help="how far rotations are, and which keys are off")
    status.add_argument("--tenant", type=UUID, metavar="ID", help="only this workspace")
    rotate = verbs.add_parser("rotate", help="ask for new keys; workers change over while work goes on")
    which = rotate.add_mutually_exclusive_group(required=True)
    which.add_argument("--tenant", type=UUID, metavar="ID")
    which.add_argument("--all", action="store_true", help="every workspace")
    rotate.add_argument("--kek", action="store_true", help="the wrapping key only")
    rotate.add_argument("--dek", action="store_true", help="the workspace's own keys only")
    for verb, said in (
        ("disable", "switch keys off: no secret can be opened"),
        ("enable", "switch them on again"),
        ("destroy", "destroy them for good"),
    ):
        one = verbs.add_parser(verb, help=said)
        one.add_argument("--tenant", type=UUID, metavar="ID", required=True)
        one.add_argument("--reason", required=True, help="for the workspace's trail")
        if verb == "destroy":
            one.add_argument("--confirm", type=UUID, metavar="ID", help="the workspace's id once more")
    return parser.parse_args(arguments)
