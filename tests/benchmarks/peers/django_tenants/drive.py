"""Runs inside the peer's own environment: creates tenants, migrates them, says in one JSON object how long it took.

`python drive.py COUNT`, in a copy of `site`, with PEER_DATABASE and PEER_SHAPES set.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
import time


def main(count: int) -> None:
    """Seconds of each creation; seconds a schema of one more column and index; seconds a schema of nothing to do."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    manage("makemigrations", "customers", "shop")
    manage("migrate_schemas", "--shared")
    created = create(count)
    os.environ["PEER_EXTRA"] = "1"
    manage("makemigrations", "shop")
    changed = timed("migrate_schemas", "--tenant", "--executor=standard")
    idle = min(timed("migrate_schemas", "--tenant", f"--executor={way}") for way in ("standard", "multiprocessing"))
    said = {"created": created, "changed": changed / count, "idle": idle / count, "made": made()}
    sys.stdout.write(json.dumps(said) + "\n")


def create(count: int) -> list[float]:
    """Seconds of each."""
    import django

    django.setup()
    from customers.models import Client

    times = []
    for number in range(count):
        began = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            Client(schema_name=f"d_{number:05}", name=f"Customer {number}").save(verbosity=0)
        times.append(time.perf_counter() - began)
    return times


def made() -> list[int]:
    """How many tables and indexes the first tenant has, so that nobody compares with less than the same."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE relkind = 'r'), count(*) FILTER (WHERE relkind = 'i') FROM pg_class"
            " WHERE relnamespace = 'd_00000'::regnamespace"
        )
        return list(cursor.fetchone())


def timed(*arguments: str) -> float:
    """Seconds of one management command in a process of its own, as an operator runs it."""
    began = time.perf_counter()
    manage(*arguments)
    return time.perf_counter() - began


def manage(*arguments: str) -> None:
    """Run a management command; its output is shown where it fails."""
    code = "import sys; from django.core.management import execute_from_command_line as run; run(sys.argv)"
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, env=os.environ
    )
    if ran.returncode:
        sys.stderr.write(ran.stdout[-2000:] + ran.stderr[-4000:])
        sys.exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
