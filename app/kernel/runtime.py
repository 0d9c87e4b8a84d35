"""What one process has at hand: the databases, the wake-up line and the services that bootstrap has wired."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar, cast

from sqlalchemy.orm import Session

from app.kernel.actor import Actor, Rights
from app.kernel.marks import MadeLeaf, TrailFacts
from tenants.cells import Placement
from tenants.engines import Databases
from tenants.tenant import Tenant

Service = TypeVar("Service")
# Reads, in the tenant's own transaction, which roles this actor has here (app.access.queries.load_rights).
RightsLoader = Callable[[Session, Tenant, Actor, datetime], Rights]
# Gives the leaf hash of a trail entry, the salt of its personal values and their commitments (app.audit.leaf).
LeafMaker = Callable[[TrailFacts], MadeLeaf]


class Wake(Protocol):
    """The wake-up line: hints only. Losing one costs a poll, never work."""

    def publish(self, topics: Iterable[str]) -> None:
        """Say that something happened on these topics. Never raises."""


@dataclass(frozen=True)
class Runtime:
    """Handed to doors and jobs; a service is asked for by its type."""

    databases: Databases
    load_rights: RightsLoader
    make_leaf: LeafMaker
    wake: Wake
    services: dict[type, object] = field(default_factory=dict)
    placement: Placement = field(init=False)

    def __post_init__(self) -> None:
        """Placement follows from the databases: it knows the cells that this process has pools for."""
        object.__setattr__(self, "placement", Placement(self.databases))

    def service(self, kind: type[Service]) -> Service:
        """The wired service of that type. Raises LookupError where bootstrap has wired none."""
        try:
            return cast("Service", self.services[kind])
        except KeyError:
            raise LookupError(f"no {kind.__name__} is wired in this process") from None
