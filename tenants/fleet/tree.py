"""The tenant's revisions, each rendered to plain SQL once. What is replayed over the fleet is text, never Python."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy.dialects import postgresql

from tenants.schema.migrate import ONE_AT_A_TIME, script_config

if TYPE_CHECKING:  # see `tenants.schema.migrate`
    from alembic.script import Script

Kind = Literal["expand", "backfill", "contract"]
KINDS = ("expand", "backfill", "contract")

_TAKES_AWAY = re.compile(
    r"\b(DROP\s+(TABLE|COLUMN)|RENAME\b|SET\s+NOT\s+NULL|ALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE)\b", re.IGNORECASE
)
_TRANSACTION = re.compile(r"^\s*(BEGIN|COMMIT|ROLLBACK|START\s+TRANSACTION|SAVEPOINT)\b", re.IGNORECASE | re.MULTILINE)
_INDEX = re.compile(
    r'^CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?"?(\w+)"?\s+ON\b', re.IGNORECASE
)
_UNINDEX = re.compile(r"^DROP\s+INDEX\s+CONCURRENTLY\s+IF\s+EXISTS\b", re.IGNORECASE)
_TABLE = re.compile(r'^CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?"?(\w+)"?', re.IGNORECASE)
_WORD = re.compile(r"[a-z_][a-z0-9_]*")


class FleetRefused(Exception):
    """What was asked of the fleet cannot be done now; the text says why and what to do next."""


class UnfitRevision(FleetRefused):
    """A revision that cannot be replayed over a fleet; the text says which and what to change."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """Rows that a backfill changes: `change` where `pending` still holds, `table` walked along its unique `key`."""

    table: str
    key: str
    change: str
    pending: str


@dataclass(frozen=True, slots=True)
class Revision:
    """One compiled revision. `statements` is what is replayed, in order."""

    revision: str
    message: str
    kind: Kind
    concurrent: bool
    statements: tuple[str, ...] = field(repr=False)
    backfill: Backfill | None = None

    @property
    def checksum(self) -> str:
        """SHA-256 of everything that is replayed: two builds that give the same do the same."""
        parts = (self.revision, self.kind, str(self.concurrent), str(self.backfill), *self.statements)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    @property
    def script(self) -> str:
        """All statements as one message."""
        return "\n".join(self.statements)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables it makes: the tenant's role needs rights on them."""
        return tuple(found[1] for each in self.statements if (found := _TABLE.match(each)))

    @staticmethod
    def index_of(statement: str) -> str | None:
        """The index that a concurrent statement builds; None where it drops one."""
        found = _INDEX.match(statement)
        return found[1] if found else None


@dataclass(frozen=True, slots=True)
class Tree:
    """The compiled revisions from the first to the head."""

    revisions: tuple[Revision, ...]

    @property
    def head(self) -> str:
        """The newest revision."""
        return self.revisions[-1].revision

    def position(self, revision: str | None) -> int | None:
        """How many revisions come before it; None where this build does not know it."""
        return next((n for n, each in enumerate(self.revisions) if each.revision == revision), None)

    def before(self, revision: str) -> list[str]:
        """Every revision that lies below this one."""
        return [each.revision for each in self.revisions[: self.position(revision) or 0]]

    def between(self, lowest: str, target: str) -> tuple[Revision, ...]:
        """What has to be replayed to get from one to the other, in order."""
        return self.revisions[(self.position(lowest) or 0) + 1 : (self.position(target) or 0) + 1]


def compile_tree(versions: Path | None = None) -> Tree:
    """Render every revision of the tenant tree (or of the one in `versions`). Raises UnfitRevision."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(script_config("tenant", versions=versions))
    ordered = list(scripts.walk_revisions())[::-1]
    if not ordered:
        raise UnfitRevision("The tenant migration tree has no revision.")
    with ONE_AT_A_TIME:
        return Tree(tuple(_compile(script) for script in ordered))


def _compile(script: Script) -> Revision:
    module: Any = script.module
    kind, backfill = getattr(module, "kind", None), getattr(module, "backfill", None)
    if kind not in KINDS:
        raise _unfit(script, f"declares no kind. Say in its header kind = one of {', '.join(KINDS)}")
    revision = Revision(
        revision=script.revision,
        message=(script.doc or "").strip(),
        kind=kind,
        concurrent=bool(getattr(module, "concurrent", False)),
        statements=_render(script),
        backfill=Backfill(**backfill) if backfill else None,
    )
    _refuse_unfit(script, revision)
    return revision


class _Statements(list[str]):
    """Alembic's output, one statement an item: it writes each with one call."""

    def write(self, text: str) -> None:
        self.append(text.strip())

    def flush(self) -> None:  # a list has nothing to flush
        """Alembic flushes after each statement."""


def _render(script: Script) -> tuple[str, ...]:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    statements = _Statements()
    # "named": the dialect of the driver would double each percent sign, for a driver that never sees parameters here.
    dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    options = {"as_sql": True, "output_buffer": statements, "literal_binds": True}
    context = MigrationContext.configure(dialect=dialect, opts=options)
    try:
        with Operations.context(context):
            script.module.upgrade()
    except Exception as error:  # a script may fail in any way; without a connection most fail by asking for one
        raise _unfit(script, f"cannot be rendered without a database ({error})") from error
    return tuple(statements)


def _refuse_unfit(script: Script, revision: Revision) -> None:
    """What would break a promise of the fleet is found when it is compiled, not in the 4,000th schema."""
    if _TRANSACTION.search(revision.script):
        raise _unfit(script, "speaks to the transaction. The fleet commits, with the version, or not at all")
    if revision.kind == "expand" and (found := _TAKES_AWAY.search(revision.script)):
        raise _unfit(script, f"says {found[0]!r}, which the running build would feel. Declare it kind = 'contract'")
    if (revision.kind == "backfill") != (revision.backfill is not None):
        raise _unfit(script, "needs both kind = 'backfill' and backfill = {table, key, change, pending}, or neither")
    if revision.backfill and revision.statements:
        raise _unfit(script, "is a backfill and changes the schema too. Make two revisions of it")
    names = (revision.backfill.table, revision.backfill.key) if revision.backfill else ()
    if not all(_WORD.fullmatch(each) for each in names):
        raise _unfit(script, "names the table or the key of its backfill in capitals or with other signs")
    if revision.concurrent != any("CONCURRENTLY" in each.upper() for each in revision.statements):
        raise _unfit(script, "must say concurrent = True exactly when its statements are CONCURRENTLY")
    if revision.concurrent:
        _refuse_unrepeatable(script, revision.statements)


def _refuse_unrepeatable(script: Script, statements: Sequence[str]) -> None:
    for each in statements:
        if not (_INDEX.match(each) or _UNINDEX.match(each)):
            raise _unfit(
                script,
                "is concurrent, so it may hold CREATE INDEX CONCURRENTLY with a name and DROP INDEX CONCURRENTLY"
                f" IF EXISTS only, not: {each.splitlines()[0]}",
            )


def _unfit(script: Script, said: str) -> UnfitRevision:
    return UnfitRevision(f"Revision {script.revision} ({Path(script.path).name}) {said}.")
