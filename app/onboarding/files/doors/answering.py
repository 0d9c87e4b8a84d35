"""Sends the content of a file: opened chunk by chunk, always to be saved, never to be shown by a browser."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

from litestar.response import Stream

from app.flow.file_kinds import FILE_KINDS
from app.onboarding.files.operations import Opened
from app.vault.files.folder import FileFolder


def answer_content(folder: FileFolder, opened: Opened) -> Stream:
    """The answer to who may read it. Raises FileUnreadable, FilesAway before the first byte is sent."""
    file = opened.file
    content = opened.read(folder)
    headers = {
        "content-disposition": disposition(file.name),
        "content-length": str(file.stored.size),
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return Stream(content.pieces(), headers=headers, media_type=FILE_KINDS[file.kind].media)


def disposition(name: str) -> str:
    """The header that has a file saved under its name, in the two spellings that all browsers read."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = "".join(letter if letter.isalnum() or letter in " .-_()" else "_" for letter in plain).strip(" .") or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
