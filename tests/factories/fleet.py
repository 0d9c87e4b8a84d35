"""A fleet to upgrade: workspaces, and a tree of revisions that goes on where the product's own ends."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tenants.fleet.apply import Crewing, apply_plan
from tenants.fleet.owner import Fleet
from tenants.fleet.plan import Plan, Wish, make_plan
from tenants.fleet.tree import compile_tree
from tenants.schema.head import tenant_revision
from tenants.schema.migrate import script_config
from tenants.slots import make_slots
from tenants.tenant import Tenant
from tests.factories.installation import CELL, Installation

_REVISION = '''"""{message}"""
from alembic import op
import sqlalchemy as sa

revision = {name!r}
down_revision = {after!r}
branch_labels = None
depends_on = None
{header}

def upgrade() -> None:
    {body}
'''
# Every revision of the tests is about the table `command`: key text, fingerprint text, result jsonb, at timestamptz.
EXPAND = """op.add_column('command', sa.Column('note', sa.Text()))
    op.create_index('ix_command_note', 'command', ['note'])"""
SLOW = f"{EXPAND}\n    op.execute('SELECT pg_sleep(0.05)')"
CONCURRENT = """op.create_index('ix_command_at', 'command', ['at'], postgresql_concurrently=True, if_not_exists=True)"""
BACKFILL = {
    "table": "command",
    "key": "key",
    "change": "note = coalesce(note, '') || lower(t.fingerprint)",
    "pending": "t.note IS NULL",
}
TABLE = """op.create_table(
        'probe', sa.Column('id', sa.UUID(), nullable=False), sa.PrimaryKeyConstraint('id', name='pk_probe')
    )"""
CONTRACT = "op.drop_column('command', 'note')"


class Revisions:
    """Writes revisions into a folder, one after the other, behind a copy of the product's own."""

    def __init__(self, folder: Path) -> None:
        own = Path(str(script_config("tenant").get_main_option("version_locations")))
        self.folder = shutil.copytree(own, folder, ignore=shutil.ignore_patterns("__pycache__"))
        self._last = tenant_revision()

    def add(self, name: str, body: str = "pass", **header: Any) -> Revisions:
        """One more revision; `header` are module variables (kind is expand unless said otherwise)."""
        lines = "\n".join(f"{key} = {value!r}" for key, value in ({"kind": "expand"} | header).items() if value)
        text = _REVISION.format(message=name, name=name, after=self._last, header=lines, body=body)
        (self.folder / f"{name}.py").write_text(text)
        self._last = name
        return self

    def short(self) -> Revisions:
        """One column and its index."""
        return self.add("t_expand", EXPAND)

    def usual(self, *, expand: str = EXPAND) -> Revisions:
        """Expand, an index beside running work, backfill."""
        self.add("t_expand", expand).add("t_index", CONCURRENT, concurrent=True)
        return self.add("t_fill", kind="backfill", backfill=BACKFILL)


def make_fleet(installation: Installation, revisions: Revisions) -> Fleet:
    """The fleet of an installation, on its way to the last of the revisions."""
    return Fleet(installation.urls.control_url, {CELL: installation.urls.cell_url}, compile_tree(revisions.folder))


def make_tenants(installation: Installation, count: int) -> list[Tenant]:
    """So many workspaces of one partner, in the order of the fleet: the first is the canary if nobody chooses one."""
    make_slots(installation.databases, CELL, count)
    partner = installation.partner("Northwind")
    made = [partner.home, *(installation.customer(partner, f"Customer {n}") for n in range(count - 1))]
    return sorted(made, key=lambda tenant: tenant.schema)


def upgrade(fleet: Fleet, *, wish: Wish | None = None, **crewing: Any) -> Plan:
    """Plan and apply without soaking; the plan at its end."""
    assert make_plan(fleet, wish or Wish(soak_seconds=0)) is not None
    plan = apply_plan(fleet, Crewing(**crewing))
    assert plan is not None
    return plan


def remember(installation: Installation, tenant: Tenant, count: int) -> None:
    """Rows for the backfill: commands with keys in order."""
    installation.rows(
        tenant,
        "INSERT INTO {}.command (key, fingerprint, result, at)"
        " SELECT to_char(n, 'FM0000'), 'Print-' || n, '[1]', now() FROM generate_series(1, %s) AS n",
        count,
    )


def start(installation: Installation, revisions: Revisions, *arguments: str) -> subprocess.Popen[str]:
    """`slipway fleet …` over the tree of the revisions, as a process of its own."""
    urls = (installation.urls.control_url, installation.urls.cell_url, str(revisions.folder))
    command = [sys.executable, "-m", "tests.factories.fleet_program", *urls, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen[str], *, within: float = 60) -> tuple[int, str]:
    """Its exit code and what it said; `within` so many seconds."""
    said, _ = process.communicate(timeout=within)
    return process.returncode, said


def count_queries(monkeypatch: Any, act: Callable[[], object]) -> list[str]:
    """Every statement that plain psycopg connections send while `act` runs."""
    import psycopg

    sent: list[str] = []
    real = psycopg.Connection.execute

    def counted(self: Any, query: Any, *more: Any, **options: Any) -> Any:
        sent.append(str(query))
        return real(self, query, *more, **options)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, "execute", counted)
        act()
    return sent
