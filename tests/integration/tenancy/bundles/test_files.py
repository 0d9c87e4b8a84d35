"""Files move with their workspace: the same bytes over there, with the tenant's keys or without them."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from app.kernel.work import open_work
from app.tenancy.bundles.errors import BundleBroken
from app.vault.files import moving
from app.vault.files.folder import FileFolder
from app.vault.files.records import StoredFile, list_stored
from app.vault.files.sealing import CHUNK, FilePlace, FileUnreadable, OpenedFile
from app.vault.keyring import Keyring
from app.vault.operations.file_keys import open_file_keys
from app.vault.rules import Program
from tenants.tenant import Tenant
from tests.factories.bundles import MOVER, Site
from tests.factories.vault.files import keep_file
from tests.integration.tenancy.bundles.dying import Killed, dying

CONTENT = bytes(range(256)) * 1_100  # several chunks, several lines
PLACE = UUID(int=7)


def keep(site: Site, tenant: Tenant, content: bytes = CONTENT) -> StoredFile:
    with open_work(site.runtime, tenant, MOVER, trace_id="keep") as work:
        return keep_file(work, PLACE, content)


def read(site: Site, tenant: Tenant) -> dict[UUID, bytes]:
    runtime = site.program(Program.WEB)
    with open_work(runtime, tenant, MOVER, trace_id="read") as work:
        files = list_stored(work.session)
        keys = open_file_keys(work, runtime.service(Keyring))
    folder, found = runtime.service(FileFolder), {}
    for each in files:
        place = FilePlace(tenant.id, each.id)
        opened = OpenedFile(folder.open(tenant.id, each.address), keys[each.id], place, each.size)
        found[each.id] = b"".join(opened.pieces())
    return found


@pytest.fixture
def small_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "PIECE", CHUNK)


@pytest.mark.usefixtures("small_parts", "small_lines")
class TestFiles:
    @pytest.mark.parametrize("way", [{"secrets": True}, {"secrets": False}])
    def test_arrive_as_they_were(self, here: Site, there: Site, tmp_path: Path, way: dict[str, bool]):
        tenant = here.customer()
        files = {keep(here, tenant, CONTENT + bytes([number])).id: CONTENT + bytes([number]) for number in range(3)}
        assert read(here, tenant) == files
        here.export(tenant, tmp_path / "x", there, **way)
        assert CONTENT[:64] not in (tmp_path / "x").read_bytes()
        arrived = there.receive(tmp_path / "x", here).tenant
        assert read(there, arrived) == files
        assert there.runtime.service(FileFolder).waiting() == {}

    def test_go_on_behind_a_kill(self, here: Site, there: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        tenant = here.customer()
        files = {keep(here, tenant, CONTENT + bytes([number])).id: CONTENT + bytes([number]) for number in range(12)}
        with pytest.raises(Killed):
            here.export(tenant, tmp_path / "x", there, progress=dying(1, table="files/blob"))
        here.export(tenant, tmp_path / "x", there)
        real, taken = moving.Arriving.take, list[bytes]()

        def take(self: moving.Arriving, line: bytes) -> None:
            taken.append(line)
            if len(taken) == 20:
                raise Killed
            real(self, line)

        monkeypatch.setattr(moving.Arriving, "take", take)
        with pytest.raises(Killed):
            there.receive(tmp_path / "x", here)
        arrived = there.receive(tmp_path / "x", here).tenant
        assert read(there, arrived) == files

    def test_say_what_was_lost_before(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer()
        lost, kept = keep(here, tenant), keep(here, tenant, b"kept")
        here.runtime.service(FileFolder).remove(tenant.id, lost.address)
        here.export(tenant, tmp_path / "x", there)
        arrived = there.receive(tmp_path / "x", here).tenant
        folder = there.runtime.service(FileFolder)
        assert folder.has(arrived.id, kept.address)
        with pytest.raises(FileUnreadable):
            folder.open(arrived.id, lost.address)

    def test_do_not_arrive_short(self, here: Site, there: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        tenant = here.customer()
        keep(here, tenant)
        real = moving.blob_lines
        monkeypatch.setattr(
            "app.tenancy.bundles.export.blob_lines", lambda *given, **more: list(real(*given, **more))[:-1]
        )
        here.export(tenant, tmp_path / "x", there)
        with pytest.raises(BundleBroken, match="files/blob"):
            there.receive(tmp_path / "x", here)
