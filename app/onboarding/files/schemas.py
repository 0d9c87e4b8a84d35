"""Shapes of files on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

_KEY = Annotated[str, Meta(min_length=1, max_length=200, description="Only of this task.", examples=["task.send"])]


class FileOut(Struct, frozen=True):
    """One file that was handed over for a task; `media` is what it is sent as, `size` its bytes."""

    id: UUID
    task: str
    slot: str
    name: str
    kind: str
    media: str
    size: int
    by: str
    at: datetime


class FileList(Struct, frozen=True):
    """Files in the order in which they came; a template bounds how many there are."""

    items: list[FileOut]


class FileQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which files: all, or those of one task."""

    task: _KEY | UnsetType = UNSET


class UploadQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """What the file is called; its ending says which kind of file it is."""

    name: Annotated[str, Meta(min_length=1, max_length=1000, description="With its ending.", examples=["orders.csv"])]
