"""The three kinds of schema (DESIGN 4) as three declarative bases: a model picks one and says where it lives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, LargeBinary, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import DeclarativeBase

Document = dict[str, Any]  # JSON as PostgreSQL keeps it; its shape is validated at the door that let it in

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
_MAPPER = {"eager_defaults": False}
_TYPES: dict[Any, Any] = {
    str: Text(),
    bytes: LargeBinary(),
    datetime: DateTime(timezone=True),
    UUID: PG_UUID(as_uuid=True),
    Document: JSONB(none_as_null=True),
    list[Any]: JSONB(none_as_null=True),
}


class ControlRecord(DeclarativeBase):
    """A row of the one `control` database: who exists, who may, and where everything is."""

    metadata = MetaData(schema="control", naming_convention=_NAMING)
    type_annotation_map: ClassVar = _TYPES
    __mapper_args__ = _MAPPER


class CellRecord(DeclarativeBase):
    """A row shared by the tenants of one cell: ids and times, insert-only for tenant roles.

    `eager_defaults` is off because RETURNING would need SELECT, which a tenant role does not have here.
    """

    metadata = MetaData(schema="cell", naming_convention=_NAMING)
    type_annotation_map: ClassVar = _TYPES
    __mapper_args__ = _MAPPER


class TenantRecord(DeclarativeBase):
    """A row in a tenant's own schema. No schema name: `search_path`, set with the BEGIN, decides whose."""

    metadata = MetaData(naming_convention=_NAMING)
    type_annotation_map: ClassVar = _TYPES
    __mapper_args__ = _MAPPER


@dataclass(frozen=True, slots=True)
class ControlFunction:
    """A SECURITY DEFINER function of `control`: the only thing a lookup may call before a scope is known."""

    name: str
    arguments: str
    returns: str
    body: str
    language: str = "sql"
    partner: bool = False  # an organisation's scope may call it too; its body then looks at the scope itself

    def ddl(self) -> str:
        """The statement that makes or replaces it; volatile, because some of them write (sessions, links)."""
        return (
            f"CREATE OR REPLACE FUNCTION control.{self.name}({self.arguments}) RETURNS {self.returns} "
            f"LANGUAGE {self.language} SECURITY DEFINER SET search_path = control, pg_temp "
            f"AS $body$\n{self.body}\n$body$;"
        )


control_functions: dict[str, ControlFunction] = {}


def control_function(
    name: str, *, arguments: str, returns: str, body: str, language: str = "sql", partner: bool = False
) -> ControlFunction:
    """Declare a lookup function; `tenants.schema.install` puts every declared one into the database."""
    if name in control_functions:
        raise ValueError(f"control.{name} is declared twice")
    function = control_functions[name] = ControlFunction(name, arguments, returns, body, language, partner)
    return function
