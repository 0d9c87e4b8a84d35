"""Sealed files: opened only where they belong, whole or not at all; and the folder that they lie in."""

from __future__ import annotations

import io
from pathlib import Path
from uuid import uuid4

import pytest

from app.vault.envelope import make_key
from app.vault.files.folder import FileFolder, FilesAway, Incoming
from app.vault.files.sealing import CHUNK, FilePlace, FileUnreadable, OpenedFile, Sealer

PLACE = FilePlace(uuid4(), uuid4())
CONTENT = bytes(range(256)) * 700  # two whole chunks and some


def written(content: bytes, key, place: FilePlace = PLACE) -> bytes:
    file = io.BytesIO()
    sealer = Sealer(file, key, place)
    for start in range(0, len(content), 1000):
        sealer.write(content[start : start + 1000])
    sealer.finish()
    return file.getvalue()


def opened(raw: bytes, key, size: int, place: FilePlace = PLACE) -> bytes:
    return b"".join(OpenedFile(io.BytesIO(raw), key, place, size).pieces())


class TestSealing:
    @pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, len(CONTENT)])
    def test_gives_back_what_was_sealed(self, size):
        key, content = make_key(), CONTENT[:size]
        raw = written(content, key)
        assert opened(raw, key, size) == content
        assert content[:32] not in raw or size < 32

    def test_reads_anywhere(self):
        key = make_key()
        raw = OpenedFile(io.BytesIO(written(CONTENT, key)), key, PLACE, len(CONTENT))
        with io.BufferedReader(raw) as file:
            file.seek(CHUNK - 5)
            assert file.read(10) == CONTENT[CHUNK - 5 : CHUNK + 5]
            file.seek(-3, io.SEEK_END)
            assert file.read() == CONTENT[-3:]

    def test_opens_nowhere_else(self):
        key = make_key()
        raw = written(CONTENT, key)
        first, second = (raw[5 + n * (CHUNK + 16) : 5 + (n + 1) * (CHUNK + 16)] for n in range(2))
        swapped = raw[:5] + second + first + raw[5 + 2 * (CHUNK + 16) :]
        flipped = raw[:-1] + bytes([raw[-1] ^ 1])
        for bad, size in ((swapped, len(CONTENT)), (flipped, len(CONTENT)), (raw[: 5 + CHUNK + 16], CHUNK)):
            with pytest.raises(FileUnreadable):
                opened(bad, key, size)
        for place in (FilePlace(uuid4(), PLACE.file_id), FilePlace(PLACE.tenant_id, uuid4())):
            with pytest.raises(FileUnreadable):
                opened(raw, key, len(CONTENT), place)
        with pytest.raises(FileUnreadable):
            opened(raw, make_key(), len(CONTENT))
        with pytest.raises(FileUnreadable):
            opened(raw, key, len(CONTENT) - 1)

    def test_has_another_address_for_the_same_content(self):
        addresses = set()
        for _ in range(2):
            file = io.BytesIO()
            sealer = Sealer(file, make_key(), PLACE)
            sealer.write(CONTENT)
            addresses.add(sealer.finish().address)
        assert len(addresses) == 2


class TestFolder:
    def put(self, folder: FileFolder, incoming: Incoming) -> str:
        with folder.receive(incoming) as file:
            sealer = Sealer(file, make_key(), FilePlace(incoming.tenant_id, incoming.file_id))
            sealer.write(CONTENT)
            return sealer.finish().address

    def test_knows_what_is_on_its_way_and_takes_it_away(self, tmp_path: Path):
        folder = FileFolder(tmp_path / "a" / "files", 1 << 20)
        kept, killed, half = (Incoming(PLACE.tenant_id, uuid4(), uuid4()) for _ in range(3))
        first, second = self.put(folder, kept), self.put(folder, killed)
        folder.receive(half).close()
        folder.publish(kept, first)
        folder.publish(killed, second)
        folder.settle(kept)
        assert set(folder.waiting()) == {killed, half}
        for each in (killed, half):
            folder.abandon(each)
            folder.abandon(each)
        assert folder.waiting() == {}
        assert [each.name for each in (folder.path / str(PLACE.tenant_id)).rglob("*") if each.is_file()] == [first]
        folder.drop(PLACE.tenant_id)
        with pytest.raises(FileUnreadable):
            folder.open(PLACE.tenant_id, first)

    def test_publishes_nothing_that_the_sweep_has_taken(self, tmp_path: Path):
        folder = FileFolder(tmp_path / "files", 1 << 20)
        incoming = Incoming(PLACE.tenant_id, uuid4(), uuid4())
        address = self.put(folder, incoming)
        folder.abandon(incoming)
        with pytest.raises(FilesAway):
            folder.publish(incoming, address)

    def test_is_no_folder_that_others_may_enter(self, tmp_path: Path):
        (tmp_path / "files").mkdir(mode=0o755)
        folder = FileFolder(tmp_path / "files", 1 << 20)
        with pytest.raises(FilesAway):
            folder.receive(Incoming(PLACE.tenant_id, uuid4(), uuid4()))

    @pytest.mark.parametrize("address", ["../../etc/passwd", "", "0" * 63, "G" * 64])
    def test_has_no_other_addresses(self, tmp_path: Path, address):
        with pytest.raises(FileUnreadable):
            FileFolder(tmp_path, 1).open(PLACE.tenant_id, address)
