"""What the OpenAPI document says of the doors of templates."""

from __future__ import annotations

from typing import Any

from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.kernel.commands import CommandKeyReused
from app.kernel.work import TenantNotActive, TenantUpgrading
from app.templates.api.shapes import (
    CheckedOut,
    DocumentOut,
    DocumentWish,
    LineList,
    LineOut,
    LineUpgradeOut,
    LineUpgradeWish,
    LineWayBack,
    OfferedOut,
    PublishedOut,
)
from app.templates.authoring.versions import VersionTaken
from app.templates.lines.chains import ChainBroken
from app.templates.lines.operations import GoingBackRefused
from app.templates.merging import ResolutionRefused, UpgradeRefused
from app.templates.operations import AdoptionRefused
from app.templates.queries import TemplateMissing
from app.templates.rules import TemplateRefused
from app.templates.upgrades.operations import UpgradeMoved, UpgradeOpen
from app.web.begin import NothingHere, NotSignedIn
from app.web.security import NotFromHere
from app.web.wire.openapi import Described, Told
from app.web.wire.reading import (
    BodyUnfit,
    BodyUnreadable,
    IdempotencyKeyMissing,
    IdempotencyKeyUnfit,
    MediaTypeUnknown,
)

_DIGEST = f"sha256:{'2f1c9d07' * 8}"
_UPPER = f"sha256:{'77aa01bc' * 8}"
_AT = "2026-11-25T10:12:00Z"
_HEAD: dict[str, Any] = {
    "template": "msp-managed-services",
    "title": "Managed services",
    "version": "1.3.0",
    "digest": _DIGEST,
    "overlay": _UPPER,
    "overlay_version": "1.1.0",
    "versions": 4,
    "waiting": None,
    "published_at": _AT,
}
_TEMPLATE = {"kind": "template", "id": "msp-managed-services", "version": "1.3.0", "digest": _DIGEST, "publisher": ""}
_OVERLAY = {"kind": "overlay", "id": "northwind", "version": "1.1.0", "digest": _UPPER, "publisher": ""}
_ENTRY = {
    "seq": 3,
    "template_digest": _DIGEST,
    "overlay_digest": _UPPER,
    "why": "upgraded",
    "by": "Dana Weber",
    "at": _AT,
}
_LINE = {
    "template": "msp-managed-services",
    "title": {"en": "Managed services"},
    "own": 1,
    "chain": [_OVERLAY, _TEMPLATE],
    "targets": [[_TEMPLATE | {"version": "1.4.0"}]],
    "history": [_ENTRY],
}
_CONFLICT = {
    "path": "stages.kickoff.title.en",
    "kind": "both changed",
    "sentence": "It was changed here and, to something else, in the new version.",
    "before": "Kickoff",
    "theirs": "First meeting",
    "ours": "Welcome",
    "decided": False,
}
_STEP = {
    "overlay": "northwind",
    "version": "1.1.0",
    "becomes": None,
    "conflicts": [_CONFLICT],
    "carried": ["title.en"],
    "redundant": [],
}
_PLAN = {"ready": False, "seen": "", "steps": [_STEP], "changes": [], "published": None}
_PROBLEM = {"line": 12, "column": 7, "message": "“enginer” is no role of this template.", "fix": "Say “engineer”."}
_CHECKED = {"kind": "", "name": "", "version": "", "digest": None, "result": None, "problems": [_PROBLEM]}
_MADE = {"kind": "overlay", "name": "northwind", "version": "1.2.0", "digest": _UPPER}
_SOURCE = {"source": "overlay: northwind\nversion: 1.2.0\n…"}
_HERE = (NotSignedIn, NotPermitted, NothingHere, TenantNotActive, TenantUpgrading)
_ONCE = (NotFromHere, IdempotencyKeyMissing, IdempotencyKeyUnfit, CommandKeyReused)
_SENT = (*_HERE, *_ONCE, BodyUnreadable, BodyUnfit, MediaTypeUnknown)
_READ, _EDIT, _PUBLISH = (Permission.TEMPLATE_READ,), (Permission.TEMPLATE_EDIT,), (Permission.TEMPLATE_PUBLISH,)
_KEY, _REPLAYED = ("Idempotency-Key",), ("Idempotency-Replayed",)

LIST = Described(
    {200: Told("What is offered.", LineList, headers=("ETag",), example={"items": [_HEAD]})},
    problems=_HERE,
    scopes=_READ,
)
READ = Described(
    {200: Told("The line.", LineOut, headers=("ETag",), example=_LINE)},
    problems=(*_HERE, TemplateMissing, ChainBroken),
    scopes=_READ,
)
DOCUMENT = Described(
    {
        200: Told(
            "The document.",
            DocumentOut,
            headers=("ETag",),
            example={"digest": _DIGEST, "document": {"id": "msp-managed-services", "version": "1.3.0"}},
        )
    },
    problems=(*_HERE, TemplateMissing),
    scopes=_READ,
)
CHECK = Described(
    {200: Told("What was found.", CheckedOut, example=_CHECKED)},
    takes=DocumentWish,
    example=_SOURCE,
    headers=_KEY,
    problems=_SENT,
    scopes=_EDIT,
)
PUBLISH = Described(
    {201: Told("Published.", PublishedOut, headers=("Location", *_REPLAYED), example=_MADE)},
    takes=DocumentWish,
    example=_SOURCE,
    headers=_KEY,
    problems=(*_SENT, TemplateRefused, VersionTaken, AdoptionRefused, ChainBroken),
    scopes=_PUBLISH,
)
UPGRADE = Described(
    {200: Told("What it makes, or made.", LineUpgradeOut, headers=_REPLAYED, example=_PLAN)},
    takes=LineUpgradeWish,
    example={"to": _DIGEST, "decisions": {"northwind": {"stages.kickoff.title.en": {"side": "ours"}}}, "dry_run": True},
    headers=_KEY,
    problems=(
        *(*_SENT, TemplateMissing, ChainBroken, TemplateRefused, UpgradeRefused, ResolutionRefused),
        *(UpgradeOpen, UpgradeMoved, VersionTaken),
    ),
    scopes=_PUBLISH,
)
BACK = Described(
    {
        200: Told(
            "New onboardings get it again.",
            OfferedOut,
            headers=_REPLAYED,
            example={"template": "msp-managed-services", "template_digest": _DIGEST, "overlay_digest": _UPPER},
        )
    },
    takes=LineWayBack,
    example={"seq": 2, "reason": "The new kickoff confuses people"},
    headers=_KEY,
    problems=(*_SENT, TemplateMissing, GoingBackRefused),
    scopes=_PUBLISH,
)
