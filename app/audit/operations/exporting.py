"""Takes a trail out of the workspace: as a file that proves itself, or as lines for a SIEM or a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from app.audit.events import TrailExported
from app.audit.formats.ocsf import ocsf_line
from app.audit.formats.table import csv_head, csv_line
from app.audit.gate import EXPORT, require_right
from app.audit.queries.signed import Begin, SignedTrail, bundle_lines, entries_in_order, read_signed

PROOF: Final = "proof"


@dataclass(frozen=True, slots=True)
class Export:
    """What is handed over: lines, made while they are read."""

    name: str  # of the file
    media: str
    entries: int
    lines: Iterator[bytes]


def export_trail(begin: Begin, *, kind: str) -> Export:
    """The signed part of the trail in that format. `begin` opens a unit of work each time more is read.

    Raises NotPermitted, NothingSigned.
    """
    with begin() as work:
        if work.actor.kind != "job":  # an operator at the command line has the databases anyway
            require_right(work, EXPORT)
        signed = read_signed(work)
        work.record(TrailExported(subject_id=work.tenant.id, format=kind, entries=signed.size))
        name = f"trail-{work.tenant.id}-{signed.size}"
    ending, media, lines = FORMATS[kind]
    return Export(f"{name}{ending}", media, signed.size, lines(begin, signed))


def _ocsf(begin: Begin, signed: SignedTrail) -> Iterator[bytes]:
    return (ocsf_line(place, entry, signed.tenant) for place, entry in entries_in_order(begin, signed.size))


def _csv(begin: Begin, signed: SignedTrail) -> Iterator[bytes]:
    yield csv_head()
    yield from (csv_line(place, entry) for place, entry in entries_in_order(begin, signed.size))


Writer = Callable[[Begin, SignedTrail], Iterator[bytes]]
FORMATS: Final[Mapping[str, tuple[str, str, Writer]]] = {
    PROOF: (".trail.jsonl", "application/jsonl", bundle_lines),
    "ocsf": (".ocsf.jsonl", "application/jsonl", _ocsf),
    "csv": (".csv", "text/csv; charset=utf-8", _csv),
}
