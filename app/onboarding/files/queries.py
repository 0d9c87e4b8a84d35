"""Reads of the files of an onboarding, each with what its task knows of it; in the tenant's scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.access.roles import CUSTOMER_ROLES
from app.flow.definition import Item
from app.flow.fields import Field
from app.kernel.errors import Missing
from app.kernel.work import Work
from app.onboarding.models import Onboarding
from app.onboarding.queries.picture import Picture, picture_of
from app.onboarding.queries.stored import plan_of
from app.vault.files.records import StoredFile, find_stored, list_stored


class FileMissing(Missing):
    """There is no such file in this onboarding, or it is not for this reader."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """One file as people know it."""

    stored: StoredFile
    task: str
    slot: str
    name: str
    kind: str
    by: str
    side: str

    @property
    def id(self) -> UUID:
        """Which it is."""
        return self.stored.id

    @property
    def at(self) -> datetime:
        """When it was handed over."""
        return self.stored.kept_at


def slots_of(item: Item) -> tuple[Field, ...]:
    """The places of a task that take files."""
    return tuple(field for field in item.fields if field.type == "files")


def files_of(work: Work, onboarding_id: UUID) -> list[HandedOver]:
    """Every file of the onboarding, as far as the reader's side may see it, the first first."""
    return [each for each in _all(work, onboarding_id) if may_see(work, each)]


def held_in(work: Work, picture: Picture, task: str, slot: str) -> list[HandedOver]:
    """Those of one place of a task, the first first."""
    files = (each for each in files_of(work, picture.onboarding.id) if each.slot == slot)
    return [each for each in files if task_now(picture, each) == task]


def with_files(work: Work, onboarding: Onboarding, task: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """A task's answers with what its places hold now: references alone, never what somebody sends as such."""
    item = plan_of(work, onboarding).items.get(task)
    slots = [slot.id for slot in slots_of(item)] if item else []
    if not slots:
        return dict(answers)
    picture = picture_of(work, onboarding)
    held = {slot: "\n".join(str(each.id) for each in held_in(work, picture, task, slot)) for slot in slots}
    return {name: value for name, value in answers.items() if name not in slots} | {
        slot: value for slot, value in held.items() if value
    }


def by_id(files: Iterable[HandedOver]) -> Mapping[str, HandedOver]:
    """By their references, as answers hold them."""
    return {str(each.id): each for each in files}


def get_file(work: Work, onboarding_id: UUID, file_id: UUID) -> HandedOver:
    """One file. Raises FileMissing where it is not there or not for the reader's side."""
    stored = find_stored(work.session, onboarding_id, file_id)
    found = _known(stored) if stored else None
    if found is None or not may_see(work, found):
        raise FileMissing("There is no such file in this onboarding.")
    return found


def may_see(work: Work, file: HandedOver) -> bool:
    """What the partner puts into its own steps is not the customer's to read."""
    return file.side == "customer" or not work.rights & CUSTOMER_ROLES


def task_now(picture: Picture, file: HandedOver) -> str:
    """The task that a file belongs to: by its newest key, where a migration gave the task another one."""
    key = file.task
    for migration in picture.state.migrations:
        key = migration.items.get(key, key)
    return key


def _all(work: Work, onboarding_id: UUID) -> list[HandedOver]:
    return [_known(each) for each in list_stored(work.session, onboarding_id)]


def _known(stored: StoredFile) -> HandedOver:
    about = stored.about
    names = ("task", "slot", "name", "kind", "by", "side")
    return HandedOver(stored, *(str(about[name]) for name in names))
