"""The catalogue as one document: of each type every version that was ever published, the newest as it is announced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.kernel.catalogue.compatible import differences
from app.kernel.catalogue.schemas import Schema, list_types, schema_of
from app.kernel.errors import Conflict

Catalogue = Mapping[str, Any]
_FORMAT: Final = 1


class EventsBroken(Conflict):
    """Events would say something else than what was published of their version."""

    def __init__(self, told: list[str]) -> None:
        super().__init__("\n".join(told))
        self.told = told


def make_catalogue(published: Catalogue | None = None) -> dict[str, Any]:
    """Every type with its versions; those before stay as they were published. Raises EventsBroken."""
    before: Mapping[str, Any] = (published or {}).get("types", {})
    types, told = dict[str, Any](), list[str]()
    for kind in list_types():
        known = before.get(kind.type, {}).get("versions", {})
        schema = schema_of(kind)
        told += _told(kind.type, kind.schema_version, known, schema)
        kept = {number: each for number, each in known.items() if number != str(kind.schema_version)}
        versions = kept | {str(kind.schema_version): schema}
        types[kind.type] = {"subject": kind.subject_kind, "current": kind.schema_version, "versions": versions}
    gone = sorted({*before} - {*types})
    told += [f"{name} is announced no more, and who waits for it waits in vain." for name in gone]
    if told:
        raise EventsBroken(told)
    return {"catalogue": _FORMAT, "types": types}


def _told(name: str, version: int, known: Mapping[str, Schema], schema: Schema) -> Iterator[str]:
    newest = max(map(int, known), default=version)
    if version < newest:
        yield f"{name}: version {newest} was published, this would be {version} again."
    elif str(version) in known:
        for each in differences(known[str(version)], schema):
            yield f"{name} {version}: {each} Keep it, or raise the event's version to {version + 1}."
