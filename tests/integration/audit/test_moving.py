"""A tenant that moves takes its tree along, and it goes on over there: one history, whoever keeps it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.audit.bundle.records import read_line
from app.audit.bundle.verifying import verify_bundle
from app.audit.note import read_key, read_note
from app.audit.operations.exporting import export_trail
from app.audit.operations.sequence import sequence_trail
from app.audit.signing import Signers
from app.kernel.actor import job_actor
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import open_work
from app.vault.keyring import Keyring
from app.vault.rules import Program
from app.vault.trail_keys import TrailKeys
from tenants.tenant import Tenant
from tests.factories.bundles import Site
from tests.factories.trails import Noted


def worker(site: Site, host: str) -> Runtime:
    """A worker of the installation, whose people reach it under that host."""
    runtime = site.program(Program.WORKER)
    signers = Signers(TrailKeys(runtime.service(Keyring), lambda _tenant: host))
    return replace(runtime, services=runtime.services | {Signers: signers})


def go_on(runtime: Runtime, tenant: Tenant, count: int) -> None:
    """So many entries, each with its place."""
    actor, added = job_actor(new_id(), "test"), 1
    with open_work(runtime, tenant, actor, trace_id="t") as work:
        for number in range(count):
            work.record(Noted(subject_id=new_id(), number=number))
    while added:
        with open_work(runtime, tenant, actor, trace_id="t") as work:
            added = sequence_trail(work).added


def exported(runtime: Runtime, tenant: Tenant) -> list[bytes]:
    actor = job_actor(new_id(), "test")
    return list(export_trail(lambda: open_work(runtime, tenant, actor, trace_id="t"), kind="proof").lines)


@pytest.mark.parametrize("secrets", [True, False])
def test_a_moved_tenant_s_tree_goes_on(here: Site, there: Site, tmp_path: Path, *, secrets: bool):
    ours, theirs = worker(here, "here.example"), worker(there, "there.example")
    tenant = here.customer(f"Moved {secrets}")
    go_on(ours, tenant, 5)
    before = exported(ours, tenant)
    here.export(tenant, tmp_path / "x.bundle", there, secrets=secrets)
    arrived = there.receive(tmp_path / "x.bundle", here).tenant
    go_on(theirs, arrived, 3)
    after = exported(theirs, arrived)
    first, found = verify_bundle(before), verify_bundle(after)
    assert found.entries > first.entries
    verify_bundle(after, held=[_head(before)])
    keys = [key.name for key in map(read_key, _keys(after))]
    origin = f"here.example/trail/{tenant.id}"
    assert keys == ([origin] if secrets else [origin, f"there.example/trail/{tenant.id}"])
    assert read_note(_head(after)).size == found.entries


def _head(lines: list[bytes]) -> str:
    return str(read_line(lines[0])["head"])


def _keys(lines: list[bytes]) -> list[str]:
    return list(read_line(lines[0])["keys"])
