"""Two servers in threads of this process, alike in everything but the application: ours, and a bare Litestar."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import uvicorn
from litestar import Litestar, get
from litestar.params import FromPath
from litestar.types import ASGIApp
from psycopg import sql
from sqlalchemy import create_engine

from app.onboarding.schemas import OnboardingOut
from tenants.engines import driver_url

_COLUMNS = "id, name, state, seq, definition_digest, trace_id, started_at, first_value_at, finished_at"


@contextmanager
def serving(app: ASGIApp) -> Iterator[int]:
    """The port of a Uvicorn with the product's settings, for as long as the block runs."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False, server_header=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="serving", daemon=True)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
            if not thread.is_alive():
                raise AssertionError("the server did not start")
        yield int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def bare_litestar(cell_url: str, schema: str) -> Iterator[Litestar]:
    """The same row from the same table, and nothing else: no host, visitor, tenant, rights, headers or log line."""
    engine = create_engine(
        driver_url(cell_url), pool_size=8, max_overflow=0, connect_args={"autocommit": True, "prepare_threshold": None}
    )
    query = sql.SQL(f"SELECT {_COLUMNS} FROM {{}}.onboarding WHERE id = %s").format(sql.Identifier(schema))  # noqa: S608 - constants

    @get("/onboardings/{onboarding_id:uuid}", sync_to_thread=True)
    def read(onboarding_id: FromPath[UUID]) -> OnboardingOut:
        pooled = engine.raw_connection()
        try:
            driver: Any = pooled.driver_connection  # psycopg's own
            with driver.transaction():
                row = driver.execute(query, [onboarding_id]).fetchone()
        finally:
            pooled.close()
        return OnboardingOut(*row)

    try:
        yield Litestar([read], openapi_config=None, logging_config=None)
    finally:
        engine.dispose()
