"""What pages show of files: each place of a task with what is in it, and what was handed over once it is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID

from msgspec import UNSET

from app.access.decisions import can
from app.access.permissions import Permission
from app.flow.definition import Item
from app.flow.fields import Field, entries_of
from app.flow.file_kinds import FILE_KINDS, endings_of
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.onboarding.files.queries import HandedOver, by_id, files_of, get_file, held_in, slots_of, task_now
from app.onboarding.files.rules import MIB, FileRefused, PlaceFull, most_bytes
from app.onboarding.files.schemas import FileOut, FileQuery
from app.onboarding.people import acting
from app.onboarding.queries.picture import Picture, get_picture
from app.vault.files.folder import FileFolder


def places_of(work: Work, picture: Picture, item: Item, *, wrong: tuple[str, str] = ("", "")) -> list[dict[str, Any]]:
    """The places of an open task as forms, for whoever may hand files over; `wrong`: which place, and why.

    The address of what is done about a file names no command: the form brings its key.
    """
    if not files_path(work, picture, item):
        return []
    return [_place(work, picture, item, each, wrong[1] if wrong[0] == each.id else "") for each in slots_of(item)]


def may_hand_over(work: Work, picture: Picture, item: Item) -> bool:
    """Whether the reader could complete this task."""
    return can(work.rights, Permission.TASK_COMPLETE) and acting(work, picture.onboarding).side == item.side


def files_path(work: Work, picture: Picture, item: Item) -> str:
    """Where the reader hands over what this task asks for; "" where they cannot, now."""
    here = slots_of(item) and picture.of(item.key).state == "open" and may_hand_over(work, picture, item)
    return f"{picture.path}/tasks/{quote(item.key)}/files" if here else ""


def with_names(work: Work, picture: Picture, item: Item, values: dict[str, Any]) -> dict[str, Any]:
    """The values of a task with its files by their names; one that is gone since is left out."""
    slots = slots_of(item)
    if not any(values.get(slot.id) for slot in slots):
        return values
    known = by_id(files_of(work, picture.onboarding.id))
    shown = {
        slot.id: [line_of(picture, known[one]) for one in entries_of(values.get(slot.id)) if one in known]
        for slot in slots
    }
    return values | shown


def line_of(picture: Picture, file: HandedOver) -> dict[str, Any]:
    """One file in a line."""
    return {
        "id": str(file.id),
        "name": file.name,
        "size": file.stored.size,
        "by": picture.name_of(file.by),
        "at": file.at,
        "path": f"{picture.path}/files/{file.id}",
    }


def reason(picture: Picture, error: SlipwayError) -> str:
    """Why a file was refused, in the reader's language."""
    if isinstance(error, FileRefused | PlaceFull):
        return picture.say(error.pattern).format(**error.values)
    return picture.say(error.message)


def _place(work: Work, picture: Picture, item: Item, slot: Field, error: str) -> dict[str, Any]:
    files = held_in(work, picture, item.key, slot.id)
    endings, most = endings_of(slot.accept), slot.maximum or 1
    return {
        "id": slot.id,
        "label": dict(slot.label),
        "help": dict(slot.help),
        "needed": slot.minimum or 0,
        "most": most,
        "room": max(0, most - len(files)),
        "endings": [ending.removeprefix(".").upper() for ending in endings],
        "accept": ",".join(endings),
        "max_mb": most_bytes(slot, work.service(FileFolder).most_bytes) // MIB,
        "files": [line_of(picture, each) | {"remove": _removal(picture, each)} for each in files],
        "action": f"{picture.path}/tasks/{quote(item.key)}/files/{quote(slot.id)}",
        "error": error,
    }


def _removal(picture: Picture, file: HandedOver) -> str:
    return f"{picture.path}/files/{file.id}/removal"


def without_slots(fields: Sequence[Field]) -> list[Field]:
    """What is typed: files are handed over, each place by a form of its own."""
    return [field for field in fields if field.type != "files"]


def list_files(work: Work, onboarding_id: UUID, asked: FileQuery) -> list[FileOut]:
    """The files of an onboarding that the reader may see. Raises NotPermitted, OnboardingMissing."""
    picture = get_picture(work, onboarding_id)
    shown = [_out(picture, each) for each in files_of(work, onboarding_id)]
    return [each for each in shown if asked.task in {UNSET, each.task}]


def read_file(work: Work, onboarding_id: UUID, file_id: UUID) -> FileOut:
    """One of them. Raises NotPermitted, OnboardingMissing, FileMissing."""
    picture = get_picture(work, onboarding_id)
    return _out(picture, get_file(work, onboarding_id, file_id))


def _out(picture: Picture, file: HandedOver) -> FileOut:
    return FileOut(
        id=file.id,
        task=task_now(picture, file),
        slot=file.slot,
        name=file.name,
        kind=file.kind,
        media=FILE_KINDS[file.kind].media,
        size=file.stored.size,
        by=picture.name_of(file.by),
        at=file.at,
    )
