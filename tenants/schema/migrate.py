"""Runs one migration tree over exactly one schema. The loop over tenants is the fleet's, not Alembic's."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import Connection

if TYPE_CHECKING:  # a tenth of what a worker reads at its start, and nothing that it needs: read where it is used
    from alembic.config import Config

_MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
ONE_AT_A_TIME = Lock()  # Alembic keeps the run under way in module variables; two threads would mix theirs
TREES = ("control", "cell", "tenant")


def script_config(tree: str, *, versions: Path | None = None) -> Config:
    """Alembic's configuration of one tree: control, cell or tenant; `versions` in place of the product's own folder."""
    if tree not in TREES:
        raise ValueError(f"there is no migration tree {tree!r}; choose one of {', '.join(TREES)}")
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("version_locations", str(versions or _MIGRATIONS / tree / "versions"))
    config.set_main_option("path_separator", "os")
    config.attributes["tree"] = tree
    return config


def upgrade(connection: Connection, *, tree: str, schema: str, revision: str = "head") -> None:
    """Bring one schema to a revision, in the caller's transaction."""
    from alembic import command

    config = script_config(tree)
    config.attributes["connection"] = connection
    config.attributes["schema"] = schema
    with ONE_AT_A_TIME:
        command.upgrade(config, revision)
