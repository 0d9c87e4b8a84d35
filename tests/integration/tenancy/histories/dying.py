"""Processes that die: at a commit of any session, a step of the key store, or a statement of the owner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from unittest.mock import patch
from uuid import UUID

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from app.vault.keepers.local_keys import LocalKeys
from tenants import slots


class Killed(Exception):
    """The process died here."""


@dataclass
class Fate:
    """When a process dies: right before, or right after (`done`), its step of that number. Zero: it lives."""

    at: int = 0
    done: bool = False
    seen: int = field(default=0, compare=False, repr=False)
    lock: Any = field(default_factory=Lock, compare=False, repr=False)

    def step(self, carry_out: Callable[[], Any]) -> Any:
        """Take a step, or die before or after it."""
        with self.lock:
            self.seen += 1
            now = self.seen == self.at
        if now and not self.done:
            raise Killed
        result = carry_out()
        if now:
            raise Killed
        return result


ALIVE = Fate()


class _Owner:
    """A connection of the owner whose every statement is a step."""

    def __init__(self, connection: Any, fate: Fate) -> None:
        self._connection, self._fate = connection, fate

    def execute(self, *args: Any, **named: Any) -> Any:
        return self._fate.step(lambda: self._connection.execute(*args, **named))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@contextmanager
def fated(fate: Fate) -> Iterator[None]:
    """What is called in here meets its fate; that it died is no trouble of the caller's."""
    fate = Fate(fate.at, fate.done)  # the same one may be met again
    commit, owner = PGDialect_psycopg.do_commit, slots._owner
    create, destroy = LocalKeys.create, LocalKeys.destroy

    def do_commit(dialect: Any, connection: Any) -> None:
        fate.step(lambda: commit(dialect, connection))

    @contextmanager
    def watched(*args: Any) -> Iterator[Any]:
        with owner(*args) as connection:
            yield _Owner(connection, fate)

    def create_key(keys: LocalKeys, tenant_id: UUID) -> None:
        fate.step(lambda: create(keys, tenant_id))

    def destroy_key(keys: LocalKeys, tenant_id: UUID) -> None:
        fate.step(lambda: destroy(keys, tenant_id))

    with ExitStack() as patched, suppress(Killed):
        patched.enter_context(patch.object(PGDialect_psycopg, "do_commit", do_commit))
        patched.enter_context(patch.object(slots, "_owner", watched))
        patched.enter_context(patch.object(LocalKeys, "create", create_key))
        patched.enter_context(patch.object(LocalKeys, "destroy", destroy_key))
        yield
