"""The head of the tenant schema as one batch of SQL, rendered from the models once a process."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from tenants.metadata import TenantRecord
from tenants.schema.migrate import script_config

if TYPE_CHECKING:  # see `tenants.schema.migrate`
    from alembic.script import ScriptDirectory

# The lowest revision of a tenant's schema that this build's code can work with. Raise it in the release whose code
# reads what an expand revision has added; the fleet has to be there before that release serves (docs/fleet.md).
NEEDED_TENANT_REVISION = "tenant_0009"
_VERSION_TABLE = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY"
    " (version_num))"
)


@cache
def tenant_revision() -> str:
    """The one head of the tenant migration tree."""
    head = _scripts().get_current_head()
    if head is None:
        raise RuntimeError("the tenant migration tree has no revision")
    return head


@cache
def outdated_revisions() -> frozenset[str]:
    """The revisions that this build cannot serve any more. One that it does not know is a newer build's, and served.

    By their numbers, since every program asks this; that the tree says the same is tests/unit/tenants/fleet.
    """
    name, _, number = NEEDED_TENANT_REVISION.rpartition("_")
    return frozenset(f"{name}_{earlier:0{len(number)}}" for earlier in range(1, int(number)))


@cache
def revisions_below(needed: str, versions: Path | None = None) -> frozenset[str]:
    """Every revision of the tenant's tree, or of another folder's, that leads to this one."""
    return frozenset(script.revision for script in _scripts(versions).iterate_revisions(needed, "base")) - {needed}


def earlier_revisions() -> frozenset[str]:
    """Every revision below the head: a free slot at one of them is of no use to this build."""
    return revisions_below(tenant_revision())


def _scripts(versions: Path | None = None) -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(script_config("tenant", versions=versions))


@cache
def head_hash() -> str:
    """SHA-256 of what a new tenant is made of, kept beside each slot: two builds at one revision must agree on it."""
    return hashlib.sha256(head_sql().encode()).hexdigest()


@cache
def head_sql() -> str:
    """Tables, indexes and the revision of an empty tenant, without any schema name: `search_path` says whose."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves the constructor untyped
    statements = []
    for table in TenantRecord.metadata.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        statements += [str(CreateIndex(index).compile(dialect=dialect)) for index in indexes]
    statements.append(_VERSION_TABLE)
    statements.append(f"INSERT INTO alembic_version VALUES ('{tenant_revision()}')")
    return ";\n".join(statements) + ";"


def grants_sql(role: str, schema: str) -> str:
    """What the tenant's role may do in its own schema: rows of append-only tables can be added and read, no more.

    Tables are named: `ALL TABLES IN SCHEMA` reads every table of every tenant to find those of one.
    """
    tables = TenantRecord.metadata.sorted_tables
    grants = {
        "SELECT, INSERT, UPDATE, DELETE": [t.name for t in tables if not t.info.get("append_only")],
        "SELECT, INSERT": [t.name for t in tables if t.info.get("append_only")],
        "SELECT": ["alembic_version"],
    }
    whom = {"schema": sql.Identifier(schema), "role": sql.Identifier(role)}
    lines = [sql.SQL("GRANT USAGE ON SCHEMA {schema} TO {role};").format(**whom)]
    for rights, names in grants.items():
        places = sql.SQL(", ").join(sql.Identifier(schema, name) for name in names)
        lines.append(sql.SQL("GRANT {} ON {} TO {};").format(sql.SQL(rights), places, whom["role"]))
    return sql.SQL("\n").join(lines).as_string(None)
