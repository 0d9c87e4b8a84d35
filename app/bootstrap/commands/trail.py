"""`slipway trail`: a workspace's trail as a file, and whether such a file is what was exported.

`verify` reads files only: it needs no settings, no database and no network, so a customer can run it years later.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import UUID

from app.audit.bundle.verifying import Verified, verify_bundle
from app.audit.note import NoteKey, read_key, read_note
from app.kernel.errors import Invalid, Missing

_OPERATOR = UUID(int=0)  # nobody's account: whoever holds the installation's databases
_KINDS = ("proof", "ocsf", "csv")


class FileUnfit(Invalid):
    """A file that was named cannot be read, or is in the way."""


class NoSuchWorkspace(Missing):
    """The directory knows no workspace of that id."""


def run_trail(arguments: Sequence[str]) -> int:
    """Do what is asked. Returns the exit code; what is wrong with a bundle is raised (TrailAltered)."""
    chosen = _parser().parse_args(arguments)
    return _verify(chosen) if chosen.action == "verify" else _export(chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway trail", description=__doc__.split("\n")[0])
    actions = parser.add_subparsers(dest="action", required=True)
    export = actions.add_parser("export", help="write the signed part of a trail into a file")
    export.add_argument("tenant", type=UUID, metavar="TENANT", help="its id")
    export.add_argument("-o", "--output", required=True, type=Path, metavar="FILE")
    export.add_argument("--format", choices=_KINDS, default=_KINDS[0], help="proof can be verified; default: proof")
    verify = actions.add_parser("verify", help="say whether a bundle is what was exported, or what is wrong first")
    verify.add_argument("bundle", type=Path, metavar="BUNDLE")
    verify.add_argument("--key", action="append", default=[], help="the key you trust, or a file that holds it")
    verify.add_argument(
        "--checkpoint",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a checkpoint you hold, as it was mailed, or an earlier bundle: the trail must go on from it",
    )
    return parser


def _verify(chosen: argparse.Namespace) -> int:
    pinned = [_key(given) for given in chosen.key]
    held = [note for path in chosen.checkpoint for note in _notes(path)]
    with _opened(chosen.bundle) as lines:
        found = verify_bundle(lines, pinned=pinned, held=held)
    for line in _said(found, pinned=bool(pinned)):
        print(line)
    return 0


def _said(found: Verified, *, pinned: bool) -> Iterator[str]:
    yield f"Verified: {found.entries:,} entries of {found.tenant} under {found.checkpoints:,} checkpoints."
    if found.entries:
        yield f"First entry {found.first_at}, last entry {found.last_at}."
    if found.erased:
        yield f"Personal values were erased in {found.erased:,} of them, by acts that are in the trail."
    yield f"root         {found.head.root.hex()}"
    yield f"key          {found.key.written}"
    yield f"fingerprint  {found.key.fingerprint}"
    if not pinned:
        yield "The key is the bundle's own word: compare its fingerprint with what the workspace shows, or use --key."


def _key(given: str) -> NoteKey:
    path = Path(given)
    try:
        return read_key(path.read_text("utf-8") if "+" not in given else given)
    except (OSError, UnicodeDecodeError):
        raise FileUnfit(f"{given} is neither a key nor a file that holds one.") from None


def _notes(path: Path) -> list[str]:
    """The checkpoint in a file: a note as it was mailed, or the head of an earlier bundle."""
    from app.audit.bundle.records import LineUnreadable, read_line

    with _opened(path) as lines:
        first, *rest = lines
        try:
            return [str(read_line(first)["head"])]
        except (LineUnreadable, KeyError):
            note = b"".join([first, *rest]).decode("utf-8", "replace").replace("\r\n", "\n")
    read_note(note)
    return [note]


@contextmanager
def _opened(path: Path) -> Iterator[Iterable[bytes]]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as trouble:
        raise FileUnfit(f"{path} cannot be read: {trouble.strerror}.") from None


def _export(chosen: argparse.Namespace) -> int:
    """Only here is an installation asked for."""
    from app.audit.operations.exporting import export_trail
    from app.bootstrap.wiring import open_program
    from app.kernel.actor import Actor
    from app.kernel.ids import new_id
    from app.kernel.work import Work, open_work
    from app.settings import Settings
    from app.vault.rules import Program
    from tenants.registry import find_tenant
    from tenants.sessions import lookup_session

    running, trace_id = open_program(Settings.from_environment(), Program.OPERATOR), new_id().hex
    try:
        with lookup_session(running.runtime.databases) as (session, _now):
            tenant = find_tenant(session, chosen.tenant)
        if tenant is None:
            raise NoSuchWorkspace(f"There is no workspace {chosen.tenant}.")
        actor = Actor(kind="job", id=_OPERATOR, name="slipway trail export")

        def begin() -> AbstractContextManager[Work]:
            return open_work(running.runtime, tenant, actor, trace_id=trace_id)

        export = export_trail(begin, kind=chosen.format)
        _write(chosen.output, export.lines)
    finally:
        running.close()
    print(f"{chosen.output}: {export.entries:,} entries")
    return 0


def _write(path: Path, lines: Iterable[bytes]) -> None:
    """All of it or nothing, and nothing is written over."""
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("wb") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)
    except OSError as trouble:
        raise FileUnfit(f"{path} cannot be written: {trouble.strerror}.") from None
    finally:
        partial.unlink(missing_ok=True)
