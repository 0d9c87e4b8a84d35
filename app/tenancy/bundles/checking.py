"""Whether a bundle that is whole may be imported here: whom it is from and for, and whether its rows fit our tables."""

from __future__ import annotations

from uuid import UUID

import msgspec

from app.tenancy.bundles.documents import BLOBS, DIRECTORY, FILE_KEYS, KEYS, Header, Part, TableShape, read_name
from app.tenancy.bundles.errors import (
    BundleBroken,
    BundleForOthers,
    HomeStays,
    RevisionDiffers,
    SenderUnknown,
)
from app.tenancy.bundles.verification import CheckedBundle
from app.tenancy.schemas import ExternalId, Number, Word
from app.vault.bundle_keys import BundleKeys, is_fingerprint_of
from tenants.moving.portable import CELL, PortableTable

_MOVING = frozenset({"customer", "sandbox"})
Row = dict[str, str | None]
_rows = msgspec.json.Decoder(Row, strict=True)


class DirectoryEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the directory says of the tenant. Its plan is not told: plans are each installation's own."""

    id: UUID
    kind: str
    name: str
    external_id: ExternalId | None = None
    service_package: Word | None = None
    limits: dict[str, Number] | None = None


def check_sender(checked: CheckedBundle, keys: BundleKeys, *, sender: str) -> None:
    """The bundle is from the one who is trusted and for us. Raises SenderUnknown, BundleForOthers."""
    if not is_fingerprint_of(checked.header.signer, sender):
        raise SenderUnknown(
            f"This bundle was signed by {checked.sender}, not by the installation you named. Ask them for their"
            " fingerprint (`slipway tenants key`) over another line than the bundle came on."
        )
    if checked.header.recipient != keys.public_key:
        raise BundleForOthers(
            "This bundle is sealed for another installation, or for a key that was renewed here. Have it exported to"
            " the key that `slipway tenants key` prints now."
        )


def check_tables(checked: CheckedBundle, tables: tuple[PortableTable, ...], *, revision: str) -> None:
    """Its tables are ours, with our columns. Raises RevisionDiffers, BundleBroken."""
    header, manifest = checked.header, checked.manifest
    if header.revision != revision:
        raise RevisionDiffers(
            f"This bundle is of revision {header.revision}, and workspaces here are of {revision}. Bring both"
            " installations to the same release, then export again."
        )
    wanted = [shape_of(table) for table in tables if header.secrets or not table.sealed]
    found = [msgspec.structs.replace(table, rows=0) for table in manifest.tables]
    for ours, theirs in zip(wanted, found, strict=False):
        if ours != theirs:
            raise BundleBroken("manifest.json", f"it has {theirs.path} where {ours.path} should be, or other columns.")
    if len(wanted) != len(found):
        raise BundleBroken("manifest.json", f"it has {len(found)} tables, and a workspace has {len(wanted)}.")
    known = [DIRECTORY, *(table.path for table in wanted), BLOBS, KEYS if header.secrets else FILE_KEYS]
    _check_parts(manifest.parts, known)


def shape_of(table: PortableTable) -> TableShape:
    """A table as a manifest describes it, without its number of rows."""
    return TableShape(table.path, list(table.columns), list(table.types), list(table.key), 0)


def read_entry(header: Header, lines: list[bytes]) -> DirectoryEntry:
    """The directory's entry of a bundle. Raises BundleBroken, HomeStays."""
    try:
        [line] = lines
        entry = msgspec.json.decode(line, type=DirectoryEntry)
    except (ValueError, msgspec.MsgspecError):
        raise BundleBroken(DIRECTORY, "it is not what a bundle has there.") from None
    if entry.id != header.tenant:
        raise BundleBroken(DIRECTORY, "it is of another workspace.")
    if entry.kind not in _MOVING:
        raise HomeStays("A home is part of its installation: only customers' workspaces and sandboxes are imported.")
    return entry


def read_lines(part: Part, table: PortableTable, tenant_id: UUID, lines: list[bytes]) -> list[bytes]:
    """The lines, each an object of exactly our columns, rewritten as they were understood. Raises BundleBroken."""
    columns = list(table.columns)
    checked = []
    for number, line in enumerate(lines, 1):
        try:
            row = _rows.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise BundleBroken(part.name, f"row {number} is no row.") from None
        if list(row) != columns:
            raise BundleBroken(part.name, f"row {number} has other columns than {table.name}.")
        if table.group == CELL and row["tenant_id"] != str(tenant_id):
            raise BundleBroken(part.name, f"row {number} is of another workspace.")
        checked.append(msgspec.json.encode(row))
    return checked


def _check_parts(parts: list[Part], known: list[str]) -> None:
    """The parts are of our tables, and the two that are no tables are there once."""
    paths = [name.path if (name := read_name(part.name)) else part.name for part in parts]
    for path, part in zip(paths, parts, strict=True):
        if path not in known:
            raise BundleBroken(part.name, "no table of a workspace is called so.")
    for path in {DIRECTORY, KEYS} & set(known):
        if paths.count(path) != 1:
            raise BundleBroken(path, "it is not there exactly once.")
