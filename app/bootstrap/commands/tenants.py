"""`slipway tenants …`: what an operator does with one tenant. A new sub-command is a line in SUBCOMMANDS."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import msgspec

from app.access.operations.indexing import index_tenant
from app.bootstrap.commands.progress import Meter
from app.bootstrap.wiring import Running, open_program
from app.kernel.actor import Actor, job_actor
from app.kernel.errors import Missing, SlipwayError
from app.kernel.ids import new_id
from app.settings import Settings
from app.tenancy.bundles.errors import FileInTheWay
from app.tenancy.bundles.export import ExportRequest, cancel_export, export_tenant
from app.tenancy.bundles.importing import ImportRequest, import_tenant
from app.tenancy.bundles.verification import verify_file
from app.tenancy.lookups import find_organisation
from app.tenancy.schemas import ExternalId
from app.vault.bundle_keys import (
    create_bundle_keys,
    fingerprint_of,
    open_bundle_keys,
    read_bundle_key,
    renew_opening_key,
    write_bundle_key,
)
from app.vault.rules import Program
from tenants.registry import all_tenants, find_tenant
from tenants.sessions import DatabaseAway, lookup_session
from tenants.tenant import Tenant

_OPERATOR = UUID(int=0)  # nobody's account: whoever holds the installation's keys and its databases


class NoSuchTenant(Missing):
    """The directory knows no tenant of that id."""


class NoSuchPartner(Missing):
    """The directory knows no active organisation of that slug."""


def tenants(arguments: list[str]) -> int:
    """Move tenants between installations: key, export, cancel-export, verify, import."""
    parser = argparse.ArgumentParser(prog="slipway tenants", description=tenants.__doc__)
    below = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (declare, run) in SUBCOMMANDS.items():
        one = below.add_parser(name, help=(run.__doc__ or "").strip(), description=run.__doc__)
        declare(one)
        one.set_defaults(run=run)
    given = parser.parse_args(arguments)
    run_one: Callable[[argparse.Namespace], int] = given.run
    return run_one(given)


def _declare_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--renew", action="store_true", help="destroy the key: no bundle sealed to it opens again")


def _key(given: argparse.Namespace) -> int:
    """Print this installation's bundle key and its fingerprint."""
    folder = Settings.from_environment().worker_keyring
    create_bundle_keys(folder)
    if given.renew:
        renew_opening_key(folder)
    keys = open_bundle_keys(folder)
    print(f"key          {write_bundle_key(keys.public_key)}")
    print(f"fingerprint  {fingerprint_of(keys.signer)}")
    return 0


def _declare_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tenant", type=UUID, metavar="TENANT", help="its id")
    parser.add_argument("--to", required=True, metavar="KEY", help="the bundle key of the installation that imports it")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="FILE")
    parser.add_argument("--without-secrets", action="store_true", help="connections are entered again over there")
    parser.add_argument("--move", action="store_true", help="leave the workspace still here: it goes on over there")


def _export(given: argparse.Namespace) -> int:
    """Write one tenant into a sealed, signed file. Killed, the same command goes on."""
    recipient = read_bundle_key(given.to)
    running, actor = _open("tenants.export")
    try:
        tenant = _tenant(running, given.tenant)
        request = ExportRequest(tenant, recipient, secrets=not given.without_secrets, stays=given.move)
        keys = open_bundle_keys(running.settings.worker_keyring)
        with Meter() as meter, _said_when_it_stops(tenant.id):
            done = export_tenant(
                running.runtime, actor, keys, request, given.output, trace_id=new_id().hex, progress=meter.show
            )
    finally:
        running.close()
    print(f"{given.output}: {done.rows:,} rows, manifest {done.manifest_sha256}")
    print("The workspace stays still here." if given.move else "The workspace goes on with its work.")
    return 0


@contextmanager
def _said_when_it_stops(tenant_id: UUID) -> Iterator[None]:
    """Whatever ended the export: the workspace may be still, and somebody must know how it goes on."""
    try:
        yield
    except BaseException as trouble:  # also an interrupt from the keyboard
        sys.stderr.write(
            "The export stopped. The same command goes on; until it is done, or until you call"
            f" `slipway tenants cancel-export {tenant_id}`, the workspace may be held still.\n"
        )
        if isinstance(trouble, OSError):
            raise FileInTheWay(f"The bundle cannot be written: {trouble.strerror}.") from None
        raise


def _declare_cancel(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tenant", type=UUID, metavar="TENANT", help="its id")


def _cancel(given: argparse.Namespace) -> int:
    """Give an export up, or take a moved tenant back: it goes on with its work here."""
    running, actor = _open("tenants.cancel_export")
    try:
        tenant = _tenant(running, given.tenant)
        done = cancel_export(running.runtime, actor, tenant, trace_id=new_id().hex)
    finally:
        running.close()
    print("The workspace goes on with its work." if done else "No export holds this workspace. Nothing was changed.")
    return 0


def _declare_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")


def _verify(given: argparse.Namespace) -> int:
    """Check a bundle's signature and every hash: no database, no network, no key."""
    checked = verify_file(given.file)
    print(f"{given.file}: whole and unchanged")
    print(f"workspace    {checked.header.tenant}, {checked.rows:,} rows in {len(checked.manifest.parts):,} parts")
    print(f"revision     {checked.header.revision}, {'with' if checked.header.secrets else 'without'} secrets")
    print(f"signed by    {checked.sender}")
    print(f"sealed to    {write_bundle_key(checked.header.recipient)}")
    return 0


def _declare_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--partner", required=True, metavar="SLUG", help="the partner whose customer it becomes")
    parser.add_argument("--from", dest="sender", required=True, metavar="FINGERPRINT", help="who must have signed it")
    parser.add_argument("--plan", metavar="KEY", help="a plan of this installation; without it, the workspace has none")
    parser.add_argument("--region", metavar="WORD", help="where its data is kept")
    parser.add_argument(
        "--external-id",
        type=_external_id,
        metavar="ID",
        help="what you call it; else the bundle's, where free",
    )


def _external_id(said: str) -> str:
    try:
        return msgspec.convert(said, ExternalId)
    except msgspec.ValidationError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _import(given: argparse.Namespace) -> int:
    """Make the tenant of a bundle here. Killed, the same command goes on."""
    running, actor = _open("tenants.import")
    try:
        with lookup_session(running.runtime.databases) as (session, _now):
            organisation_id = find_organisation(session, given.partner)
        if organisation_id is None:
            raise NoSuchPartner(f"There is no active partner {given.partner!r} here. Nothing was imported.")
        keys = open_bundle_keys(running.settings.worker_keyring)
        said = {"plan": given.plan, "region": given.region, "external_id": given.external_id}
        request = ImportRequest(given.file, organisation_id, given.sender, **said)
        with Meter() as meter:
            done = import_tenant(running.runtime, actor, keys, request, trace_id=new_id().hex, progress=meter.show)
    finally:
        running.close()
    print(f"{done.tenant.id}: {done.rows:,} rows. {done.tenant.name} does its work here from now on.")
    if not done.secrets:
        print("The bundle held no secrets: enter those of its connections again.")
    return 0


def _open(name: str) -> tuple[Running, Actor]:
    return open_program(Settings.from_environment(), Program.OPERATOR), job_actor(_OPERATOR, name)


def _tenant(running: Running, tenant_id: UUID) -> Tenant:
    with lookup_session(running.runtime.databases) as (session, _now):
        found = find_tenant(session, tenant_id)
    if found is None:
        raise NoSuchTenant(f"There is no workspace {tenant_id} here.")
    return found


def _index(_given: argparse.Namespace) -> int:
    """Make the lists of partners' access to customers anew, from every workspace. Repeatable; decides nothing."""
    running, _actor = _open("access.index_tenant")
    done = away = 0
    try:
        for tenant in all_tenants(running.settings.control_url):
            try:
                index_tenant(running.runtime, tenant)
            except (SlipwayError, DatabaseAway) as trouble:
                print(f"{tenant.id}: {trouble}", file=sys.stderr)
                away += 1
            else:
                done += 1
    finally:
        running.close()
    print(f"{done:,} workspaces are listed as they are. {away:,} could not be asked: say it again for them.")
    return 0


SUBCOMMANDS: dict[str, tuple[Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]] = {
    "key": (_declare_key, _key),
    "export": (_declare_export, _export),
    "cancel-export": (_declare_cancel, _cancel),
    "verify": (_declare_verify, _verify),
    "import": (_declare_import, _import),
    "index-access": (lambda _parser: None, _index),
}
