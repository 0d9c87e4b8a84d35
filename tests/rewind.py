"""Databases put back to what they were when they were copied: a tenth of the time that a new copy takes.

Rows go back to what they were. Where a test changed anything else (tables, functions, rights, or grew the files), its
copy is given up and the next test gets a new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from tests import cluster

_LARGEST = 60 << 20  # bytes; rows that were taken away leave their place behind
# Everything of a database that is not a row of a table. Catalog rows of the server's own have smaller numbers.
_MADE_OF = """
SELECT md5(string_agg(line, chr(10) ORDER BY line)), pg_database_size(current_database()) FROM (
  SELECT 'n ' || (n.*)::text AS line FROM pg_namespace n WHERE nspname NOT LIKE 'pg\\_%'
  UNION ALL SELECT concat_ws(' ', 'c', oid, relname, relacl, relowner, relkind, relhastriggers, relrowsecurity,
    relforcerowsecurity, relnatts, relchecks, relpersistence, reloptions) FROM pg_class WHERE oid >= 16384
      AND relkind <> 't' AND relnamespace <> 'pg_toast'::regnamespace
  UNION ALL SELECT concat_ws(' ', 'a', attrelid, attnum, attname, atttypid, attnotnull, attisdropped, attacl,
    attgenerated) FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0
  UNION ALL SELECT concat_ws(' ', 'd', adrelid, adnum, pg_get_expr(adbin, adrelid)) FROM pg_attrdef
  UNION ALL SELECT concat_ws(' ', 'o', oid, conname, convalidated, confupdtype) FROM pg_constraint WHERE oid >= 16384
  UNION ALL SELECT concat_ws(' ', 'i', indexrelid, indisvalid, indisunique) FROM pg_index WHERE indexrelid >= 16384
  UNION ALL SELECT concat_ws(' ', 'p', oid, proname, proowner, prosecdef, proacl, proconfig, md5(prosrc))
    FROM pg_proc WHERE oid >= 16384
  UNION ALL SELECT concat_ws(' ', 't', oid, tgname, tgenabled) FROM pg_trigger
  UNION ALL SELECT concat_ws(' ', 'y', oid, polname, polcmd, pg_get_expr(polqual, polrelid),
    pg_get_expr(polwithcheck, polrelid)) FROM pg_policy
  UNION ALL SELECT 's ' || (s.*)::text FROM pg_db_role_setting s
  UNION ALL SELECT 'f ' || (f.*)::text FROM pg_default_acl f
  UNION ALL SELECT 'x ' || (x.*)::text FROM pg_extension x
  UNION ALL SELECT concat_ws(' ', 'b', datacl, datallowconn, datconnlimit) FROM pg_database
    WHERE datname = current_database()
) AS lines
"""
_FILLED = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.oid >= 16384 AND pg_relation_size(c.oid) > 0 ORDER BY 1, 2
"""
_END_OTHERS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
)


@dataclass(frozen=True)
class Kept:
    """What a database was made of, and its rows, table by table, as COPY writes them."""

    made_of: str
    rows: dict[tuple[str, str], bytes]


def keep(databases: cluster.Databases) -> tuple[Kept, ...]:
    """What both databases hold now."""
    return tuple(_keep(url) for url in databases)


def rewind(databases: cluster.Databases, kept: tuple[Kept, ...]) -> bool:
    """Put both back, ending whoever is connected. False where they are not to be used again."""
    with suppress(psycopg.Error):
        return all(_rewind(url, was) for url, was in zip(databases, kept, strict=True))
    return False


def _keep(url: str) -> Kept:
    with _entered(url) as admin:
        rows = {table: _copied(admin, table) for table in admin.execute(_FILLED).fetchall()}
        return Kept(_made_of(admin)[0], rows)


def _rewind(url: str, was: Kept) -> bool:
    with _entered(url) as admin:
        admin.execute(_END_OTHERS, [cluster.name_of(url)])
        made_of, size = _made_of(admin)
        if made_of != was.made_of or size > _LARGEST:
            return False
        filled = admin.execute(_FILLED).fetchall()
        admin.execute("; ".join(["SET session_replication_role = replica", *map(_emptying, filled)]).encode())
        for table, rows in was.rows.items():
            with admin.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(*table))) as copy:
                copy.write(rows)
        return True


@contextmanager
def _entered(url: str) -> Iterator[psycopg.Connection[Any]]:
    """As the superuser, whom neither triggers nor policies hold up."""
    servers = cluster.cluster().servers
    with psycopg.connect(servers.admin_url, dbname=cluster.name_of(url)) as admin:
        yield admin


def _made_of(admin: psycopg.Connection[Any]) -> tuple[str, int]:
    ((made_of, size),) = admin.execute(_MADE_OF.encode()).fetchall()
    return made_of, size


def _emptying(table: tuple[str, str]) -> str:
    return sql.SQL("DELETE FROM {}").format(sql.Identifier(*table)).as_string()


def _copied(admin: psycopg.Connection[Any], table: tuple[str, str]) -> bytes:
    with admin.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(*table))) as copy:
        return b"".join(bytes(part) for part in copy)
