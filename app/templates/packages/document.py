"""A service package as it is kept: a versioned document that never changes once it is published. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from app.kernel.errors import Invalid
from app.templates.language import address

FORMAT = "1"
MOST_ADD_ONS = 8
Interval = Literal["once", "monthly", "quarterly", "yearly"]
TaskKind = Literal["check", "meeting", "training", "approval"]
INTERVALS: tuple[Interval, ...] = ("once", "monthly", "quarterly", "yearly")
TASK_KINDS: tuple[TaskKind, ...] = ("check", "meeting", "training", "approval")
PACKAGE_ID = r"^[a-z][a-z0-9-]{1,29}$"
Text = dict[str, Annotated[str, Meta(min_length=1, max_length=2000)]]
Duration = dict[str, int]  # business_days or business_hours, as templates say it
PackageId = Annotated[str, Meta(pattern=PACKAGE_ID)]
AddOnId = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,19}$")]
PartId = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,19}$")]
Key = Annotated[str, Meta(pattern=r"^(stage|milestone|task)\.[a-z][a-z0-9_]{0,62}$")]
Place = Annotated[str, Meta(pattern=r"^(stage|milestone)\.[a-z][a-z0-9_]{0,62}$")]
Version = Annotated[str, Meta(pattern=r"^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})$")]
Amount = Annotated[int, Meta(ge=1, le=1_000_000)]
Called = Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(max_length=20)]


class _Part(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What every part of the document has in common: unknown words are refused, and what is not said is not kept."""


class ExtraTask(_Part, frozen=True, kw_only=True):
    """A task that the package brings of its own. A check asks whether it is done."""

    title: Text
    kind: TaskKind
    owner: str
    due: Duration | None = None
    help: Text | None = None


class Addition(_Part, frozen=True, kw_only=True):
    """A component of the library, or a task, at a named place. `brings` is what it stands for, since publication."""

    id: PartId
    place: Place
    component: str | None = None
    given: dict[str, Any] = {}
    task: ExtraTask | None = None
    after: list[str] = []
    brings: dict[str, list[dict[str, Any]]] = {}


class Price(_Part, frozen=True, kw_only=True):
    """What is asked for it, in words and by interval; nobody calculates with it."""

    interval: Interval
    text: Text


class AddOn(_Part, frozen=True, kw_only=True):
    """What can be sold with the package: `called` is how a CRM names it beside its id and titles."""

    id: AddOnId
    title: Text
    description: Text | None = None
    called: Called = []
    prices: Annotated[list[Price], Meta(max_length=4)] = []
    adds: Annotated[list[Addition], Meta(max_length=12)] = []


class Tier(_Part, frozen=True, kw_only=True):
    """A named level of service: the rungs of the template's timers and the response times of its troubles, by id."""

    title: Text
    timers: dict[str, list[Duration]] = {}
    exceptions: dict[str, Duration] = {}


class Quotas(_Part, frozen=True, kw_only=True):
    """The limits of the customer's workspace: exactly those that something obeys (`app.access.limits`)."""

    onboardings: Amount | None = None
    members: Amount | None = None

    def limits(self) -> dict[str, int] | None:
        """As a workspace is made with them; None where there is none."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None} or None


class Content(_Part, frozen=True, kw_only=True):
    """Everything that a package says, of a draft and of a published version alike."""

    slipway: Literal["1"] = "1"
    package: PackageId
    template: str
    title: Text
    description: Text | None = None
    excluded: Text | None = None
    called: Called = []
    tier: Tier | None = None
    leaves_out: Annotated[list[Key], Meta(max_length=200)] = []
    adds: Annotated[list[Addition], Meta(max_length=12)] = []
    add_ons: Annotated[list[AddOn], Meta(max_length=MOST_ADD_ONS)] = []
    quotas: Quotas | None = None
    prices: Annotated[list[Price], Meta(max_length=4)] = []


class Published(Content, frozen=True, kw_only=True):
    """The same with its version, and the partner whose word it is."""

    version: Version
    partner: str


class PackageUnfit(Invalid):
    """A package that is not written as one."""


@dataclass(frozen=True, slots=True)
class Package:
    """A published package: its plain document, its content address, and what it says."""

    document: Mapping[str, Any]
    digest: str
    content: Published

    @property
    def id(self) -> str:
        """What it is called by."""
        return self.content.package

    def add_on(self, wanted: str) -> AddOn:
        """The add-on of that id. Raises PackageUnfit."""
        for each in self.content.add_ons:
            if each.id == wanted:
                return each
        raise PackageUnfit(f"“{wanted}” is no add-on of {self.id}.")


def read_package(document: Mapping[str, Any]) -> Package:
    """A published document. Raises PackageUnfit."""
    plain = dict(document)
    try:
        content = msgspec.convert(plain, Published)
    except msgspec.ValidationError as error:
        raise PackageUnfit(f"This is no package: {error}.") from None
    return Package(plain, address(plain), content)


def read_content(document: Mapping[str, Any]) -> Content:
    """A draft's document. Raises PackageUnfit."""
    try:
        return msgspec.convert(dict(document), Content)
    except msgspec.ValidationError as error:
        raise PackageUnfit(f"This is no package: {error}.") from None


def package_of(content: Content, *, version: str, partner: str) -> Package:
    """The package that a content is as that version. Raises PackageUnfit."""
    plain: dict[str, Any] = msgspec.to_builtins(content)
    return read_package({"slipway": FORMAT, **plain, "version": version, "partner": partner})


def said(text: Mapping[str, str] | None, language: str) -> str:
    """A text in a language, else in English, else in the first that there is."""
    words = text or {}
    return words.get(language) or words.get("en") or next(iter(words.values()), "")
