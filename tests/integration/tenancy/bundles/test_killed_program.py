"""A process killed in either direction loses nothing, and neither direction holds more than a few parts."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import tracemalloc
from pathlib import Path

import pytest

from app.tenancy.bundles import packing
from app.tenancy.bundles.sealing import PART_BYTES
from app.tenancy.bundles.verification import verify_file
from app.tenancy.bundles.writing import unfinished
from tests.factories.bundles import Site
from tests.integration.tenancy.bundles.dying import write_commands

SCRIPT = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from uuid import UUID
    import migrations.records
    from app.bootstrap.seeding import seeder
    from app.tenancy.bundles import packing
    from app.tenancy.bundles.export import ExportRequest, export_tenant
    from app.tenancy.bundles.importing import ImportRequest, import_tenant
    from app.tenancy.operations.creation import Seeder
    from app.vault.bundle_keys import open_bundle_keys
    from app.vault.keyring import Keyring, open_keyring
    from app.vault.rules import Program
    from tenants.engines import Databases
    from tenants.schema.install import read_key
    from tenants.registry import find_tenant
    from tenants.sessions import lookup_session
    from tests.factories.bundles import MOVER
    from tests.factories.installation import make_runtime
    from tests.factories.vault.files import files_in

    packing.PART_ROWS = 20
    verb, control, cell, folder, path, tenant, other = sys.argv[1:]
    folder = Path(folder)
    databases = Databases(control_url=control, cell_urls={"main": cell}, key=read_key(control), gateways=4)
    keyring = open_keyring(Program.OPERATOR, folder / "keys", folder / "worker")
    runtime = make_runtime(databases, services={Keyring: keyring, Seeder: seeder(keyring), **files_in(folder)})
    keys, seen = open_bundle_keys(folder / "worker"), 0

    def die(table, rows):
        global seen
        seen += table == "tenant/command"
        if seen == 30:
            os.kill(os.getpid(), signal.SIGKILL)

    if verb == "export":
        with lookup_session(databases) as (session, _now):
            found = find_tenant(session, UUID(tenant))
        request = ExportRequest(found, bytes.fromhex(other), secrets=True)
        export_tenant(runtime, MOVER, keys, request, Path(path), trace_id="killed", progress=die)
    else:
        request = ImportRequest(Path(path), UUID(tenant), other)
        import_tenant(runtime, MOVER, keys, request, trace_id="killed", progress=die)
""")


class TestKilledProcess:
    def test_loses_nothing_in_either_direction(
        self, here: Site, there: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(packing, "PART_ROWS", 20)
        tenant = here.customer()
        write_commands(here, tenant, 1_000)
        path = tmp_path / "x.bundle"

        def die(verb: str, site: Site, *rest: str) -> None:
            urls = site.installation.urls
            arguments = [verb, urls.control_url, urls.cell_url, str(site.folder), str(path), *rest]
            done = subprocess.run(
                [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, check=False, timeout=60
            )
            assert done.returncode == -signal.SIGKILL, done.stderr.decode()

        die("export", here, str(tenant.id), there.keys.public_key.hex())
        assert unfinished(path).exists()
        here.export(tenant, path, there)
        die("import", there, str(there.partner.id), here.fingerprint)
        assert there.state(tenant) == ("seeding", "seeding")
        arrived = there.receive(path, here).tenant
        [row] = there.installation.rows(arrived, "SELECT count(*) AS n FROM {}.command")
        assert row.n == 1_001


class TestMemory:
    @pytest.mark.parametrize(
        "rows", [20_000, pytest.param(1_000_000, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])]
    )
    def test_is_bounded_by_a_part(self, here: Site, there: Site, tmp_path: Path, rows: int):
        """Parts hold at most 5,000 rows and 1 MiB; neither side ever holds more than a few of them."""
        tenant = here.customer("Large")
        write_commands(here, tenant, rows, width=400)
        tracemalloc.start()
        try:
            here.export(tenant, tmp_path / "x", there)
            exported = tracemalloc.get_traced_memory()[1]
            tracemalloc.reset_peak()
            there.receive(tmp_path / "x", here)
            imported = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        parts = [part for part in verify_file(tmp_path / "x").manifest.parts if part.name.startswith("tenant/command/")]
        assert sum(part.rows for part in parts) == rows
        assert max(part.bytes for part in parts) <= PART_BYTES + 1_000
        assert len(parts) >= rows * 450 // PART_BYTES
        assert exported < 24 << 20
        assert imported < 48 << 20
