"""Who may not export or import, what an import refuses before it writes, and the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.access.require import NotPermitted
from app.cli import main
from app.kernel.ids import new_id
from app.tenancy.bundles import packing, sealing
from app.tenancy.bundles.errors import (
    BundleBroken,
    BundleForOthers,
    HomeStays,
    RowTooLarge,
    SecretsStay,
    SenderUnknown,
    TenantIsHere,
)
from app.tenancy.bundles.export import ExportRequest, export_tenant
from app.tenancy.bundles.verification import verify_file
from app.tenancy.bundles.writing import open_writer, publish
from app.vault.bundle_keys import write_bundle_key
from app.vault.keyring import Keyring, NotOpenedHere
from app.vault.rules import Program
from tenants.tenant import Tenant
from tests import cluster
from tests.factories.bundles import MOVER, Site
from tests.factories.installation import person


@pytest.fixture
def bundle(here: Site, there: Site, tmp_path: Path) -> tuple[Tenant, Path]:
    tenant = here.customer()
    here.export(tenant, tmp_path / "x.bundle", there)
    return tenant, tmp_path / "x.bundle"


def untouched(site: Site, tenant: Tenant) -> bool:
    """Whether the installation has never heard of the tenant."""
    return not (
        site.installation.control("SELECT 1 FROM control.tenant WHERE id = %s", tenant.id)
        or site.installation.cell("SELECT 1 FROM cell.tenant WHERE id = %s", tenant.id)
        or site.installation.cell("SELECT 1 FROM cell.slot WHERE tenant_id = %s", tenant.id)
    )


class TestPeople:
    def test_export_without_secrets_only(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer()
        with pytest.raises(SecretsStay):
            here.export(tenant, tmp_path / "x", there, actor=person())
        with pytest.raises(NotPermitted):
            here.export(tenant, tmp_path / "x", there, actor=person(), secrets=False)
        owner = person()
        query = "INSERT INTO {}.member VALUES (%s, 'o@example.test', 'O', %s, 'en', 'active', now())"
        here.installation.rows(tenant, query, owner.id, "owner")
        admin = person()
        here.installation.rows(tenant, query, admin.id, "admin")
        with pytest.raises(NotPermitted):
            here.export(tenant, tmp_path / "y", there, actor=admin, secrets=False)
        assert not list(tmp_path.iterdir())  # who is refused leaves nothing
        here.export(tenant, tmp_path / "x", there, actor=owner, secrets=False)
        assert here.state(tenant) == ("active", "active")

    def test_import_under_their_own_partner_only(self, there: Site, here: Site, bundle: tuple[Tenant, Path]):
        tenant, path = bundle
        outsider = there.installation.partner("Contoso")
        for organisation, roles in ((outsider.id, {"partner_owner"}), (there.partner.id, {"partner_admin"})):
            actor = person(organisation_id=organisation, roles=frozenset(roles))
            with pytest.raises(NotPermitted):
                there.receive(path, here, actor=actor)
        assert untouched(there, tenant)
        owner = person(organisation_id=there.partner.id, roles=frozenset({"partner_owner"}))
        assert there.receive(path, here, actor=owner).tenant.id == tenant.id


class TestPrograms:
    def test_that_serve_pages_take_no_keys(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer()
        request = ExportRequest(tenant, there.keys.public_key, secrets=True)
        with pytest.raises(NotOpenedHere):
            export_tenant(here.program(Program.WEB), MOVER, here.keys, request, tmp_path / "x", trace_id="t")
        assert not list(tmp_path.iterdir())
        assert here.state(tenant) == ("active", "active")


class TestImport:
    def test_refuses_what_was_sealed_for_others(self, here: Site, there: Site, tmp_path: Path):
        """The export of one tenant read with another's key."""
        tenant = here.customer()
        here.export(tenant, tmp_path / "x", here)
        with pytest.raises(BundleForOthers):
            there.receive(tmp_path / "x", here)
        assert untouched(there, tenant)

    def test_refuses_a_sender_that_was_not_named(self, here: Site, there: Site, bundle: tuple[Tenant, Path]):
        with pytest.raises(SenderUnknown):
            there.receive(bundle[1], there)
        assert untouched(there, bundle[0])

    def test_refuses_the_installation_that_has_the_tenant(self, here: Site, tmp_path: Path):
        tenant = here.customer()
        here.export(tenant, tmp_path / "x", here)
        before = here.installation.rows(tenant, "SELECT * FROM {}.trail ORDER BY id")
        with pytest.raises(TenantIsHere):
            here.receive(tmp_path / "x", here)
        other = here.installation.partner("Contoso")
        with pytest.raises(TenantIsHere):  # hidden from that partner, and taken all the same
            here.receive(tmp_path / "x", here, organisation_id=other.id)
        assert here.installation.rows(tenant, "SELECT * FROM {}.trail ORDER BY id") == before
        assert here.state(tenant) == ("active", "active")

    def test_refuses_a_home(self, here: Site, there: Site, tmp_path: Path):
        with pytest.raises(HomeStays):
            here.export(here.partner.home, tmp_path / "x", there)

    @pytest.mark.parametrize(
        ("column", "value"),
        [("id", "no uuid"), ("at", "yesterday-ish"), ("body", "{"), ("action", None), ("salt", "\x00")],
    )
    def test_names_the_part_whose_values_the_database_refuses(
        self, here: Site, there: Site, bundle: tuple[Tenant, Path], tmp_path: Path, column: str, value: Any
    ):
        """A trusted sender with a bug: nothing becomes active, and the message says where to look."""
        tenant, path = bundle

        def spoil(lines: list[bytes]) -> list[bytes]:
            row = json.loads(lines[0])
            row[column] = value
            return [json.dumps(row).encode(), *lines[1:]]

        spoilt = rewrite(here, there, path, tmp_path / "spoilt", "tenant/trail", spoil)
        with pytest.raises(BundleBroken, match="tenant/trail/000001"):
            there.receive(spoilt, here)
        assert there.state(tenant) == ("seeding", "seeding")

    def test_refuses_rows_that_come_twice(self, here: Site, there: Site, bundle: tuple[Tenant, Path], tmp_path: Path):
        doubled = rewrite(here, there, bundle[1], tmp_path / "d", "tenant/trail", lambda lines: [*lines, lines[0]])
        with pytest.raises(BundleBroken, match="tenant/trail"):
            there.receive(doubled, here)
        assert there.state(bundle[0]) == ("seeding", "seeding")


class TestRows:
    def test_that_are_too_large_are_named(
        self, here: Site, there: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(packing, "LARGEST", 200)
        tenant = here.customer()
        with pytest.raises(RowTooLarge, match="delegation"):
            here.export(tenant, tmp_path / "x", there)
        assert sealing.LARGEST == 64 << 20


def rewrite(here: Site, there: Site, path: Path, to: Path, table: str, change: Any) -> Path:
    """The same bundle with other rows in one table, signed anew by its sender."""
    checked, opened = verify_file(path), there.opened(path)
    with open_writer(to, checked.header) as writer:
        for name, lines in opened.items():
            if changed := change(lines) if name == table else lines:
                writer.add(name, changed)
        tables = [msgspec.structs.replace(t, rows=writer.rows[t.path]) for t in checked.manifest.tables]
        writer.close(tables, here.keys)
        publish(to)
    return to


class TestCommandLine:
    @pytest.fixture
    def at(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        redis = cluster.fresh_redis_url()

        def sit(site: Site) -> None:
            urls = site.installation.urls
            monkeypatch.setenv("SLIPWAY_CONTROL_URL", urls.control_url)
            monkeypatch.setenv("SLIPWAY_CELL_URL", urls.cell_url)
            monkeypatch.setenv("SLIPWAY_REDIS_URL", redis)
            monkeypatch.setenv("SLIPWAY_KEYRING", str(site.folder / "keys"))
            monkeypatch.setenv("SLIPWAY_WORKER_KEYRING", str(site.folder / "worker"))

        return sit

    def test_moves_a_tenant(self, here: Site, there: Site, tmp_path: Path, at: Any, capsys: pytest.CaptureFixture[str]):
        tenant = here.customer()
        slug = there.installation.control("SELECT slug FROM control.organisation WHERE id = %s", there.partner.id)[0][0]
        path = str(tmp_path / "x.bundle")
        at(there)
        assert main(["tenants", "key"]) == 0
        key = capsys.readouterr().out.split()[1]
        assert key == write_bundle_key(there.keys.public_key)
        at(here)
        assert main(["tenants", "export", str(tenant.id), "--to", key, "-o", path, "--move"]) == 0
        assert main(["tenants", "verify", path]) == 0
        assert here.fingerprint in capsys.readouterr().out
        at(there)
        assert main(["tenants", "import", path, "--partner", slug, "--from", there.fingerprint]) == 1
        assert "was signed by" in capsys.readouterr().err
        assert main(["tenants", "import", path, "--partner", "nobody", "--from", here.fingerprint]) == 1
        assert main(["tenants", "import", path, "--partner", slug, "--from", here.fingerprint]) == 0
        assert there.state(tenant) == ("active", "active")
        assert here.state(tenant) == ("exporting", "exporting")
        at(here)
        assert main(["tenants", "cancel-export", str(tenant.id)]) == 0
        assert main(["tenants", "cancel-export", str(new_id())]) == 1
        assert here.state(tenant) == ("active", "active")

    def test_names_the_first_bad_part(self, bundle: tuple[Tenant, Path], capsys: pytest.CaptureFixture[str]):
        _tenant, path = bundle
        raw = bytearray(path.read_bytes())
        raw[2_000] ^= 1
        path.write_bytes(raw)
        assert main(["tenants", "verify", str(path)]) == 1
        assert "tenant/delegation/000001" in capsys.readouterr().err

    def test_keeps_keys_out_of_what_it_shows(self, here: Site):
        shown = repr(here.keys) + repr(here.runtime.service(Keyring))
        assert here.keys.signing.reveal_bytes().hex() not in shown


class TestManual:
    def test_shows_a_program_that_reads_a_bundle(self, there: Site, bundle: tuple[Tenant, Path], tmp_path: Path):
        """The customer's engineer copies it from docs/export.md; it knows nothing of this code."""
        text = (Path(__file__).parents[4] / "docs/export.md").read_text()
        script = tmp_path / "read.py"
        script.write_text(text.split("```python\n")[1].split("```")[0])
        command = [sys.executable, str(script), str(bundle[1]), str(there.folder / "worker/bundle.key")]
        read = subprocess.run(command, capture_output=True, check=True, timeout=30, cwd=tmp_path)
        opened = there.opened(bundle[1])
        assert read.stdout.splitlines() == [
            path.encode() + b" " + line for path, lines in opened.items() for line in lines
        ]
