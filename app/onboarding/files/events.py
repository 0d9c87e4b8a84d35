"""What happened to files: handed over, taken back, read by the other side. Their names are personal values."""

from __future__ import annotations

from typing import ClassVar

from app.onboarding.events import OfOnboarding


class FileHandedOver(OfOnboarding, frozen=True, kw_only=True):
    """Somebody handed over a file for a task. `address` is the hash of its sealed bytes: it proves which one."""

    type: ClassVar[str] = "onboarding.file.handed_over"
    subject_kind: ClassVar[str] = "file"
    personal: ClassVar[frozenset[str]] = frozenset({"name"})

    task: str
    slot: str
    name: str
    kind: str
    size: int
    address: str


class FileTakenBack(OfOnboarding, frozen=True, kw_only=True):
    """A file was taken back before its task was done; its key is destroyed, and its content goes with it."""

    type: ClassVar[str] = "onboarding.file.taken_back"
    subject_kind: ClassVar[str] = "file"

    task: str
    slot: str


class FileOpened(OfOnboarding, frozen=True, kw_only=True):
    """Somebody of the other side, or software, was given the content of a file."""

    type: ClassVar[str] = "onboarding.file.opened"
    subject_kind: ClassVar[str] = "file"

    task: str
