"""The folder of files that a runtime under test is given, and files as people hand them over."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from uuid import UUID

from app.kernel.ids import new_id
from app.kernel.work import Work
from app.vault.envelope import make_key
from app.vault.files.folder import FileFolder, Incoming
from app.vault.files.records import StoredFile, add_stored
from app.vault.files.sealing import FilePlace, Sealer
from app.vault.keyring import Keyring
from app.vault.operations.file_keys import keep_file_key

LARGEST = 8 << 20  # bytes of the largest file here


def files_in(folder: Path) -> dict[type, object]:
    """The service, with a folder of its own below this one."""
    return {FileFolder: FileFolder(folder / "files", LARGEST)}


def pdf(words: str = "A diagram", size: int = 0) -> bytes:
    """What a reader takes for a PDF, of about this size."""
    return b"%PDF-1.7\n" + words.encode() + b"\n" + b"." * size + b"\n%%EOF\n"


def office(room: str = "xl/", *, more: str = "") -> bytes:
    """What an office program saves: an archive with a list of its types and a room of its own, always the same."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(zipfile.ZipInfo("[Content_Types].xml"), "<Types/>")
        archive.writestr(zipfile.ZipInfo(f"{room}workbook.xml"), "<workbook/>")
        if more:
            archive.writestr(zipfile.ZipInfo(more), "x")
    return made.getvalue()


def keep_file(work: Work, place_id: UUID, content: bytes = b"", *, name: str = "Plan.pdf") -> StoredFile:
    """A customer's file in that onboarding, sealed and with its row, as if it had been handed over."""
    folder, incoming, key = work.service(FileFolder), Incoming(work.tenant.id, place_id, new_id()), make_key()
    with folder.receive(incoming) as file:
        sealer = Sealer(file, key, FilePlace(incoming.tenant_id, incoming.file_id))
        sealer.write(content or pdf())
        sealed = sealer.finish()
    folder.publish(incoming, sealed.address)
    folder.settle(incoming)
    keep_file_key(work, work.service(Keyring), file_id=incoming.file_id, key=key)
    about = {"task": "task.send", "slot": "diagram", "name": name, "kind": "pdf", "side": "customer", "by": ""}
    stored = StoredFile(incoming.file_id, place_id, sealed.address, sealed.size, about, work.now)
    add_stored(work, stored)
    return stored
