"""Rows to move, and a process that dies while it moves them."""

from __future__ import annotations

from collections.abc import Callable

from tenants.tenant import Tenant
from tests.factories.bundles import Site


class Killed(BaseException):
    """The process died here."""


def write_commands(site: Site, tenant: Tenant, count: int, *, width: int = 100) -> None:
    """Many rows of the tenant's own, as the owner."""
    site.installation.rows(
        tenant,
        "INSERT INTO {}.command (key, fingerprint, result, at) SELECT 'c' || n, repeat('x', %s), '{}'::jsonb, now()"
        " FROM generate_series(1, %s) n".replace("'{}'::jsonb", "jsonb_build_object('n', n)"),
        *(width, count),
    )


def dying(at: int, *, table: str = "tenant/command") -> Callable[[str, int], None]:
    """A progress that kills at the n-th part of a table."""
    seen = 0

    def progress(path: str, _rows: int) -> None:
        nonlocal seen
        seen += path == table
        if seen == at:
            raise Killed

    return progress
