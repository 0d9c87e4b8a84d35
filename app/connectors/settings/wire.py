"""Shapes of a connection's settings on the wire. What they refuse, the OpenAPI document says."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from app.connectors.kit.settings import ConnectionConfig
from app.connectors.settings.approving import Wish
from app.connectors.settings.operations import SettingsView
from app.connectors.settings.versions import Version, compare

_PLAIN = r"^[^\u0000-\u001f\u007f]*$"
_Name = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[a-z][a-z0-9_]*$")]
_Field = Annotated[str, Meta(min_length=1, max_length=300, pattern=_PLAIN)]
_Expression = Annotated[str, Meta(min_length=1, max_length=300, pattern=_PLAIN, description="JMESPath.")]
_Side = dict[_Field, _Expression]
Reason = Annotated[str, Meta(max_length=300, pattern=_PLAIN, description="Needed where it may do more than before.")]
Level = Literal["read", "draft", "write"]
Settings = Annotated[
    dict[_Name, bool | int | Annotated[str, Meta(max_length=400, pattern=_PLAIN)]],
    Meta(max_length=60, description="By name, as the manifest says.", examples=[{"host": "api.example.com"}]),
]
Mappings = Annotated[
    dict[_Name, dict[Literal["request", "answer"], Annotated[_Side, Meta(max_length=60)]]],
    Meta(
        max_length=60,
        description="By action and side: the field that is made, and where its value comes from.",
        examples=[{"create_record": {"request": {"customer_no": "reference"}}}],
    ),
]


class SettingsWanted(Struct, forbid_unknown_fields=True):
    """How a connection is to be set; what is left out is not set."""

    seen: Annotated[int, Meta(ge=0, le=1_000_000_000, description="The version that you have read.")]
    settings: Settings = {}
    level: Level | None = None
    mappings: Mappings = {}
    reason: Reason = ""

    def config(self) -> ConnectionConfig:
        """In the words of the kit."""
        mappings = {name: {str(side): told for side, told in sides.items()} for name, sides in self.mappings.items()}
        return ConnectionConfig(settings=self.settings, level=self.level, mappings=mappings)


class RollbackWanted(Struct, forbid_unknown_fields=True):
    """The version that is to be taken again; 0 is how it was before anybody set it."""

    version: Annotated[int, Meta(ge=0, le=1_000_000_000)]
    reason: Reason = ""


class UndoingWanted(Struct, forbid_unknown_fields=True):
    """Why a run is undone."""

    reason: Annotated[str, Meta(min_length=1, max_length=300, pattern=_PLAIN)]


class UndoingOut(Struct):
    """The run that undoes another."""

    run: UUID


class ChangeOut(Struct):
    """A place in which a version differs from the one before it."""

    place: str
    before: str
    after: str


class VersionOut(Struct):
    """A version of the settings."""

    version: int
    by: str
    at: datetime
    reason: str
    restored: int
    changes: list[ChangeOut]
    approved_by: str = ""


class WishOut(Struct):
    """What somebody wants a connection to be allowed; it waits for somebody else's approval."""

    level: str
    by: str
    at: datetime
    reason: str


class SettingsOut(Struct):
    """How a connection is set now, how its calls fare, and its versions, the newest first."""

    connection: UUID
    connector: str
    version: int
    level: Level
    settings: dict[str, Any]
    mappings: dict[str, Any]
    circuit: Literal["closed", "open", "half_open"]
    paused_seconds: float
    versions: list[VersionOut]
    wish: WishOut | None = None


def settings_out(view: SettingsView) -> SettingsOut:
    """A connection's settings as their reader may see them."""
    document, standing = view.config.document(), view.standing
    return SettingsOut(
        connection=view.connection_id,
        connector=view.connector.manifest.provider,
        version=view.config.version,
        level=view.level,  # type: ignore[arg-type]  # one of the three words
        settings=document["settings"],
        mappings=document["mappings"],
        circuit=standing.circuit,
        paused_seconds=round(max(standing.seconds, standing.held), 1),
        versions=versions_out(view.versions),
        wish=wish_out(view.wish),
    )


def wish_out(wish: Wish | None) -> WishOut | None:
    """What waits for a decision, if anything does."""
    return WishOut(wish.level, wish.by, datetime.fromisoformat(wish.at), wish.reason) if wish else None


def versions_out(versions: list[Version]) -> list[VersionOut]:
    """Each version with what it has changed."""
    before = [*(each.config for each in versions[1:]), ConnectionConfig()]
    return [
        VersionOut(
            version=each.number,
            by=each.by,
            at=datetime.fromisoformat(each.at),
            reason=each.reason,
            restored=each.restored,
            approved_by=each.approved,
            changes=[ChangeOut(one.place, one.before, one.after) for one in compare(earlier, each.config)],
        )
        for each, earlier in zip(versions, before, strict=False)  # of none there is none before
    ]
