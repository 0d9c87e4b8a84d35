"""What django-tenants needs for the same tables: creating a tenant, one more column and index, nothing to do."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Table, UniqueConstraint
from sqlalchemy.dialects import postgresql

from tenants.metadata import TenantRecord
from tests.benchmarks.ground import Ground
from tests.benchmarks.peers.environment import run

_PEER = Path(__file__).parent / "django_tenants"
_TYPES = {"timestamp with time zone": "timestamptz", "bool": "boolean"}


@dataclass(frozen=True, slots=True)
class DjangoTenants:
    """Seconds: of each creation, a schema of a changed fleet, a schema of an unchanged one."""

    created: list[float]
    changed: float
    idle: float
    made: tuple[int, int]  # tables and indexes of one tenant


def django_tenants(ground: Ground, count: int) -> DjangoTenants:
    """Measure it on the same server, in a database of its own, with `count` tenants."""
    urls = ground.cluster.create_databases()
    folder = Path(tempfile.mkdtemp(dir=ground.folder))
    site = shutil.copytree(_PEER / "site", folder / "site")
    shapes = folder / "shapes.json"
    shapes.write_text(json.dumps([shape_of(table) for table in TenantRecord.metadata.sorted_tables]))
    parts = conninfo_to_dict(urls.cell_url)
    place = [str(parts.get(name) or "") for name in ("host", "port", "dbname", "user", "password")]
    try:
        said = run(_PEER, site, [str(count)], PEER_DATABASE="\n".join(place), PEER_SHAPES=str(shapes))
    finally:
        ground.cluster.drop_databases(urls)
    return DjangoTenants(**json.loads(said))


def shape_of(table: Table) -> dict[str, Any]:
    """One of our tables in words that say nothing of SQLAlchemy."""
    dialect = postgresql.dialect()
    columns = []
    for column in table.columns:
        kind = column.type.compile(dialect).lower()
        target = next((key.column.table.name for key in column.foreign_keys), None)
        known = {"type": _TYPES.get(kind, kind), "null": bool(column.nullable), "refers_to": target}
        columns.append({"name": column.name, **known})
    uniques = [[c.name for c in each.columns] for each in table.constraints if isinstance(each, UniqueConstraint)]
    return {
        "name": table.name,
        "columns": columns,
        "key": [column.name for column in table.primary_key.columns],
        "uniques": uniques + [[c.name for c in index.columns] for index in table.indexes if index.unique],
        "indexes": [[c.name for c in index.columns] for index in table.indexes if not index.unique],
    }
