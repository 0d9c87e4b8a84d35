"""Migrates exactly one schema that it is told; the loop over tenants belongs to the fleet."""

from importlib import import_module

from alembic import context

from tenants.metadata import CellRecord, ControlRecord, TenantRecord

import_module("migrations.records")  # declares every table
METADATA = {"control": ControlRecord.metadata, "cell": CellRecord.metadata, "tenant": TenantRecord.metadata}

attributes = context.config.attributes
tree, connection, schema = attributes["tree"], attributes["connection"], attributes["schema"]


def _ours(_object: object, name: str | None, kind: str, *_rest: object) -> bool:
    """Leave Alembic's own table out of comparisons."""
    return not (kind == "table" and name == "alembic_version")


context.configure(
    connection=connection,
    target_metadata=METADATA[tree],
    version_table_schema=None if tree == "tenant" else schema,
    include_schemas=tree != "tenant",
    include_name=lambda name, kind, _parents: kind != "schema" or name == schema,
    include_object=_ours,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
