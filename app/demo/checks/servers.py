"""Checks of servers of one's own. Where none is named the embedded ones are used, and there is nothing to ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from app.demo.checks.finding import Finding, Patient
from app.kernel.errors import Unavailable
from app.settings.values import database_url, redis_url
from tenants.schema.head import outdated_revisions, tenant_revision

Row = tuple[object, ...]
Question = Callable[[str, "psycopg.Connection[Row]"], Finding]

POSTGRES_AT_LEAST = 16
REDIS_AT_LEAST = 7
MORE_CELLS = re.compile(r"SLIPWAY_CELL_[A-Z0-9]+_URL")
CONTROL, CELL, REDIS = "SLIPWAY_CONTROL_URL", "SLIPWAY_CELL_URL", "SLIPWAY_REDIS_URL"


_BEHIND = (
    b"SELECT count(*), count(*) FILTER (WHERE revision = ANY(%s)) FROM cell.slot"
    b" WHERE state = 'claimed' AND revision <> %s"
)


class ServersUnfit(Unavailable):
    """A server of one's own does not answer, is too old, or does not let its login do what Slipway must do."""


def databases(patient: Patient) -> Iterator[Finding]:
    """Everything about the two databases; one line where the embedded ones are used."""
    named = [name for name in (CONTROL, CELL) if patient.environ.get(name)]
    if len(named) == 1:
        yield Finding("PostgreSQL", False, f"only {named[0]} is set", f"Set both {CONTROL} and {CELL}, or neither.")
        return
    if not named:
        yield Finding("PostgreSQL", True, "embedded")
    named += sorted(name for name, url in patient.environ.items() if MORE_CELLS.fullmatch(name) and url)
    for name in named:
        yield from database(name, patient.environ[name])
    if named:
        yield apart({name: patient.environ[name] for name in named})


def refuse_unfit(environ: Mapping[str, str]) -> None:
    """Raise ServersUnfit when servers of one's own lack what Slipway needs; advice alone stops nobody."""
    patient = Patient(Path(), environ)
    own = environ.get(CONTROL) or any(map(MORE_CELLS.fullmatch, environ))
    asked = [*(databases(patient) if own else ()), *([queue(patient)] if environ.get(REDIS) else ())]
    wrong = [finding for finding in asked if finding.required and not finding.ok]
    if wrong:
        lines = [f"  {each.name}: {each.found}\n    → {each.mend}" for each in wrong]
        raise ServersUnfit("\n".join(["Slipway cannot run on these servers; nothing was changed.", *lines]))


def database(name: str, url: str) -> Iterator[Finding]:
    """Whether one database can be used; `name` is how the findings speak of it."""
    try:
        with _connected(url) as connection:
            for question in QUESTIONS:
                yield question(name, connection)
    except ValueError as error:
        yield Finding(name, False, f"{name} {error}", "Correct the URL.")
    except psycopg.Error as error:
        said = " ".join(str(error).split()) or "no answer"
        yield Finding(name, False, said, "Start the server, and check host, port, user and password of the URL.")


def version(name: str, connection: psycopg.Connection[Row]) -> Finding:
    """PostgreSQL 16 or newer: since then a grant itself says whether it is inherited."""
    number = connection.info.server_version
    ok = number >= POSTGRES_AT_LEAST * 10000
    return Finding(
        f"{name} version", ok, f"PostgreSQL {number // 10000}.{number % 10000}", "Use PostgreSQL 16 or newer."
    )


def may_create_roles(name: str, connection: psycopg.Connection[Row]) -> Finding:
    """Every tenant has a role of its own."""
    user, ok = _one(connection, "SELECT rolname, rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
    found = f"{user} {'has' if ok else 'lacks'} CREATEROLE"
    return Finding(f"{name} roles", bool(ok), found, f"As a superuser: ALTER ROLE {user} CREATEROLE;")


def may_create_schemas(name: str, connection: psycopg.Connection[Row]) -> Finding:
    """Every tenant has a schema of its own."""
    query = "SELECT current_user, current_database(), has_database_privilege(current_database(), 'CREATE')"
    user, place, ok = _one(connection, query)
    found = f"{user} {'may' if ok else 'may not'} create schemas in {place}"
    return Finding(f"{name} schemas", bool(ok), found, f"As its owner: GRANT CREATE ON DATABASE {place} TO {user};")


def is_no_superuser(name: str, connection: psycopg.Connection[Row]) -> Finding:
    """A superuser, or one who bypasses row security, is above the isolation of tenants; Slipway needs neither."""
    query = "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    user, above = _one(connection, query)
    found = f"{user} is above row security" if above else f"{user} is an ordinary login"
    mend = f"Use a login of its own: ALTER ROLE {user} NOSUPERUSER NOBYPASSRLS CREATEROLE;"
    return Finding(f"{name} login", not above, found, mend, required=False)


def keeps_others_out(name: str, connection: psycopg.Connection[Row]) -> Finding:
    """Only a database's owner can close it to other logins; each program of ours has a login of its own."""
    query = (
        "SELECT current_user, datname, datdba = current_user::regrole, has_database_privilege('public', oid, 'CONNECT')"
        " FROM pg_database WHERE datname = current_database()"
    )
    user, place, owns, open_to_all = _one(connection, query)
    found = f"{user} owns {place}" if owns else f"{user} does not own {place}, and cannot say who may enter"
    mend = f"As a superuser: ALTER DATABASE {place} OWNER TO {user};"
    return Finding(f"{name} owner", bool(owns), found, mend, required=not open_to_all)


def speaks_utf8(name: str, connection: psycopg.Connection[Row]) -> Finding:
    """Names of people and companies come in every script."""
    (encoding,) = _one(connection, "SELECT current_setting('server_encoding')")
    return Finding(f"{name} encoding", encoding == "UTF8", str(encoding), "Create the database with ENCODING 'UTF8'.")


def apart(urls: Mapping[str, str]) -> Finding:
    """Control and every cell are databases of their own, however differently their URLs may be spelled."""
    mend = "Create a database for each: nobody may join or commit across two of them."
    query = "SELECT d.oid, d.datname, pg_postmaster_start_time() FROM pg_database d WHERE datname = current_database()"
    places: dict[Row, str] = {}
    for name, url in urls.items():
        try:
            with _connected(url) as connection:
                place = _one(connection, query)
        except (ValueError, psycopg.Error):
            return Finding("Databases", False, "cannot be told while one does not answer", mend)
        if place in places:
            return Finding("Databases", False, f"{places[place]} and {name} are the same database", mend)
        places[place] = name
    return Finding("Databases", True, "apart")


def fleet(patient: Patient) -> Finding:
    """Workspaces below the newest revision; they are served unless they are below what this build needs."""
    cell, head = patient.environ.get(CELL), tenant_revision()
    if not cell:
        return Finding("Fleet", True, "the demo upgrades its own when it starts")
    try:
        with _connected(cell) as connection:
            if _one(connection, "SELECT to_regclass('cell.slot')") == (None,):
                return Finding("Fleet", True, "nothing is installed yet")
            row = connection.execute(_BEHIND, [sorted(outdated_revisions()), head]).fetchone()
    except (ValueError, psycopg.Error):
        return Finding("Fleet", False, "cannot be told while the cell does not answer", required=False)
    count, outdated = row or (0, 0)
    found = f"every workspace is at revision {head}" if not count else f"{count} workspaces are not at revision {head}"
    mend = "slipway fleet plan, then slipway fleet apply."
    if outdated:
        return Finding("Fleet", False, f"{found}; this build cannot serve {outdated} of them", mend)
    return Finding("Fleet", not count, found, mend, required=False)


def queue(patient: Patient) -> Finding:
    """Redis 7 or newer, or Valkey, which calls itself Redis 7.2 as well: its own version is read first."""
    url = patient.environ.get(REDIS)
    if not url:
        return Finding("Redis", True, "embedded")
    mend = "Start Redis 7 or newer, or Valkey, and check the URL."
    try:
        with redis.Redis.from_url(redis_url(url), socket_timeout=5, socket_connect_timeout=5) as client:
            told: dict[str, object] = client.info("server")
    except ValueError as error:
        return Finding("Redis", False, f"{REDIS} {error}", "Correct the URL.")
    except redis.RedisError as error:
        return Finding("Redis", False, str(error), mend)
    if "valkey_version" in told:
        return Finding("Redis", True, f"Valkey {told['valkey_version']}")
    number = str(told["redis_version"])
    return Finding("Redis", int(number.split(".", maxsplit=1)[0]) >= REDIS_AT_LEAST, f"Redis {number}", mend)


def dispatching(patient: Patient) -> Finding:
    """Cells in which an operator has stopped the handing out of jobs: nothing moves there until somebody resumes it."""
    cells = [name for name in sorted(patient.environ) if MORE_CELLS.fullmatch(name) or name == CELL]
    drained: list[str] = []
    try:
        for name in (cell for cell in cells if patient.environ[cell]):
            with _connected(patient.environ[name]) as connection:
                if _one(connection, "SELECT to_regclass('cell.dispatch')") != (None,):
                    query = b"SELECT reason, changed_at FROM cell.dispatch WHERE drained"
                    drained += [
                        f"{name} since {at:%Y-%m-%d %H:%M}: {why or '-'}" for why, at in connection.execute(query)
                    ]
    except (ValueError, psycopg.Error):
        return Finding("Dispatcher", False, "cannot be told while a cell does not answer", required=False)
    found = f"drained: {'; '.join(drained)}" if drained else "jobs are handed out"
    return Finding("Dispatcher", not drained, found, "slipway dispatcher resume", required=False)


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection[Row]]:
    with psycopg.connect(database_url(url), connect_timeout=5, autocommit=True) as connection:
        yield connection


def _one(connection: psycopg.Connection[Row], query: str) -> Row:
    row = connection.execute(query.encode()).fetchone()
    return row or ()


QUESTIONS: tuple[Question, ...] = (
    version,
    may_create_roles,
    may_create_schemas,
    is_no_superuser,
    keeps_others_out,
    speaks_utf8,
)
