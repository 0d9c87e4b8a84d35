"""What the OpenAPI document says of the doors of files."""

from __future__ import annotations

from app.access.limits import LimitReached
from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.flow.steps.draft import NotOpen
from app.flow.steps.work import NotYourTask
from app.kernel.commands import CommandKeyReused
from app.kernel.work import TenantNotActive, TenantUpgrading
from app.onboarding.api.described import AT
from app.onboarding.files.queries import FileMissing
from app.onboarding.files.rules import FileRefused, FileTooLarge, PlaceFull
from app.onboarding.files.schemas import FileList, FileOut, FileQuery, UploadQuery
from app.onboarding.queries.stored import OnboardingMissing
from app.vault.files.folder import FilesAway
from app.vault.files.sealing import FileUnreadable
from app.web.begin import NothingHere, NotSignedIn
from app.web.security import NotFromHere
from app.web.wire.openapi import Described, Told
from app.web.wire.reading import IdempotencyKeyMissing, IdempotencyKeyUnfit, MediaTypeUnknown, QueryUnfit
from app.web.wire.uploads import UploadCut, UploadTooLarge

_ONE = (NotSignedIn, NotPermitted, NothingHere, TenantNotActive, TenantUpgrading, OnboardingMissing)
_SHOWN = {
    "id": "01969c3b-7a10-7b52-b1de-0c9a8f7e6d77",
    "task": "task.send_samples",
    "slot": "samples",
    "name": "orders.csv",
    "kind": "csv",
    "media": "text/csv",
    "size": 48_213,
    "by": "Maria Lopez",
    "at": AT,
}
_READER = (Permission.ONBOARDING_READ,)
_ONCE = (IdempotencyKeyMissing, IdempotencyKeyUnfit, CommandKeyReused, NotFromHere)
_LINKS = {"readFile": ("files.read", "$response.body#/id"), "fetchFile": ("files.fetch", "$response.body#/id")}
LIST = Described(
    {200: Told("The files.", FileList, ("ETag",), {"items": [_SHOWN]})},
    query=FileQuery,
    problems=(*_ONE, QueryUnfit),
    scopes=_READER,
)
READ = Described({200: Told("The file.", FileOut, ("ETag",), _SHOWN)}, problems=(*_ONE, FileMissing), scopes=_READER)
FETCH = Described(
    {200: Told("Its content, to be saved.", binary=True)},
    problems=(*_ONE, FileMissing, FileUnreadable, FilesAway),
    scopes=_READER,
)
HAND_OVER = Described(
    {
        201: Told(
            "It is there.",
            FileOut,
            ("Location", "Idempotency-Replayed"),
            _SHOWN,
            links=_LINKS,
            linked_by="file_id",
        )
    },
    binary="The file's content.",
    query=UploadQuery,
    headers=("Idempotency-Key",),
    problems=(
        *(*_ONE, *_ONCE, QueryUnfit, MediaTypeUnknown, NotOpen, NotYourTask, FileRefused, FileTooLarge, PlaceFull),
        *(LimitReached, UploadTooLarge, UploadCut, FilesAway),
    ),
    scopes=(Permission.TASK_COMPLETE, Permission.ONBOARDING_READ),
)
TAKE_BACK = Described(
    {200: Told("What it was.", FileOut, ("Idempotency-Replayed",), _SHOWN)},
    headers=("Idempotency-Key",),
    problems=(*_ONE, *_ONCE, FileMissing, NotOpen, NotYourTask),
    scopes=(Permission.TASK_COMPLETE, Permission.ONBOARDING_READ),
)
