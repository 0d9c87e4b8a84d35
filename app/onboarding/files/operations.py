"""Handing files over, taking one back, reading one: each is in the trail of the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from app.access.limits import Limit
from app.access.permissions import Permission
from app.access.queries import ensure_room
from app.access.require import require
from app.access.roles import CUSTOMER_ROLES
from app.flow.definition import Item
from app.flow.fields import Field
from app.flow.steps.draft import NotOpen
from app.flow.steps.work import NotYourTask
from app.kernel.work import Work
from app.onboarding.files.events import FileHandedOver, FileOpened, FileTakenBack
from app.onboarding.files.queries import HandedOver, get_file, held_in, slots_of, task_now
from app.onboarding.files.receiving import Received
from app.onboarding.files.rules import MIB, check_room
from app.onboarding.models import Onboarding
from app.onboarding.operations.advance import lock_onboarding
from app.onboarding.people import acting
from app.onboarding.queries.picture import Picture, picture_of
from app.onboarding.queries.stored import OnboardingMissing, find_onboarding
from app.vault.files.folder import FileFolder
from app.vault.files.records import StoredFile, add_stored, drop_stored, list_stored
from app.vault.files.sealing import FilePlace, OpenedFile
from app.vault.keyring import Keyring
from app.vault.operations.file_keys import drop_file_key, keep_file_key, open_file_keys
from app.vault.secret import Secret


@dataclass(frozen=True, slots=True)
class Place:
    """Where files go: a place of a task of an onboarding."""

    onboarding_id: UUID
    task: str
    slot: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that may be read, and its key; its bytes are read where no session is in reach."""

    file: HandedOver
    place: FilePlace
    key: Secret = field(repr=False)

    def read(self, folder: FileFolder) -> OpenedFile:
        """Its content. Raises FileUnreadable, FilesAway."""
        stored = self.file.stored
        return OpenedFile(folder.open(self.place.tenant_id, stored.address), self.key, self.place, stored.size)


def allow_upload(work: Work, place: Place) -> Field:
    """What may be said before the first byte is read: whether this person may hand files over here, now, and which.

    Raises NotPermitted, OnboardingMissing, NotYourTask, NotOpen, PlaceFull, LimitReached.
    """
    require(work, Permission.TASK_COMPLETE)
    picture = picture_of(work, find_onboarding(work.session, place.onboarding_id))
    slot = _open_slot(work, picture, place)
    check_room(slot, len(held_in(work, picture, place.task, place.slot)), [place])
    _ensure_size(work)
    return slot


def keep_files(work: Work, place: Place, received: Sequence[Received]) -> list[UUID]:
    """Make them this task's: each with its row, its sealed key and an entry in the trail. Returns their ids.

    Raises as `allow_upload` does, KeysMissing, KeysDisabled, FilesAway.
    """
    require(work, Permission.TASK_COMPLETE)
    onboarding = lock_onboarding(work, place.onboarding_id)
    picture = picture_of(work, onboarding)
    item = _open_task(work, picture, place.task)
    check_room(_open_slot(work, picture, place), len(held_in(work, picture, place.task, place.slot)), received)
    _ensure_size(work)
    for each in received:
        _keep(work, onboarding, item, place, each)
    return [each.incoming.file_id for each in received]


def take_back(work: Work, *, onboarding_id: UUID, file_id: UUID) -> str:
    """Take a file back while its task is open: its key is destroyed now, its bytes go after the commit.

    Returns the key of its task.

    Raises NotPermitted, OnboardingMissing, FileMissing, NotYourTask, NotOpen.
    """
    require(work, Permission.TASK_COMPLETE)
    onboarding = lock_onboarding(work, onboarding_id)
    file, picture = get_file(work, onboarding_id, file_id), picture_of(work, onboarding)
    item = _open_task(work, picture, task_now(picture, file))
    drop_stored(work, file.stored)
    drop_file_key(work, file_id=file_id)
    work.enqueue("onboarding.remove_file", args={"address": file.stored.address})
    work.announce(FileTakenBack(subject_id=file_id, onboarding_id=onboarding_id, task=file.task, slot=file.slot))
    return item.key


def open_file(work: Work, *, onboarding_id: UUID, file_id: UUID) -> Opened:
    """Let somebody read a file; whoever is not of the customer's people leaves an entry in the customer's trail.

    Raises NotPermitted, FileMissing, FileUnreadable, KeysMissing, KeysDisabled.
    """
    require(work, Permission.ONBOARDING_READ)
    file = get_file(work, onboarding_id, file_id)
    key = open_file_keys(work, work.service(Keyring), file_id)[file_id]
    if work.actor.kind != "person" or not work.rights & CUSTOMER_ROLES:
        work.record(FileOpened(subject_id=file_id, onboarding_id=onboarding_id, task=file.task))
    return Opened(file, FilePlace(work.tenant.id, file_id), key)


def _keep(work: Work, onboarding: Onboarding, item: Item, place: Place, got: Received) -> None:
    work.service(FileFolder).publish(got.incoming, got.sealed.address)
    file_id = got.incoming.file_id
    keep_file_key(work, work.service(Keyring), file_id=file_id, key=got.key)
    about = {"task": place.task, "slot": place.slot, "name": got.name, "kind": got.kind, "side": item.side}
    about |= {"by": work.actor.label}
    add_stored(work, StoredFile(file_id, onboarding.id, got.sealed.address, got.sealed.size, about, work.now))
    work.announce(
        FileHandedOver(
            subject_id=file_id,
            onboarding_id=onboarding.id,
            task=place.task,
            slot=place.slot,
            name=got.name,
            kind=got.kind,
            size=got.sealed.size,
            address=got.sealed.address,
        )
    )


def _open_slot(work: Work, picture: Picture, place: Place) -> Field:
    item = _open_task(work, picture, place.task)
    found = next((slot for slot in slots_of(item) if slot.id == place.slot), None)
    if found is None:
        raise OnboardingMissing("There is no such place for files in this step.")
    return found


def _open_task(work: Work, picture: Picture, task: str) -> Item:
    """The task, if whoever acts could complete it now."""
    item = picture.item(task)
    if item.kind != "task" or acting(work, picture.onboarding).side != item.side:
        raise NotYourTask(f"This task belongs to the {item.side}; only they can complete it.")
    state = picture.of(task).state
    if state != "open":
        raise NotOpen(f"This task is {state}; it cannot be completed now.")
    return item


def _ensure_size(work: Work) -> None:
    """Whether the workspace may hold more."""

    def held() -> int:
        return sum(each.size for each in list_stored(work.session)) // MIB

    ensure_room(work, Limit.FILES_MB, held)
