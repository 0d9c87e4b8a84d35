"""Live onboardings of many customers in all kinds of states, and two people who may upgrade them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.bootstrap.wiring import declare_everything
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.flow import events
from app.flow.decide import decide, new_state
from app.flow.definition import Definition
from app.flow.events import By
from app.flow.parts.unfolding import unfold
from app.flow.simulate import _aside, _begin, _forward
from app.flow.state import SETTLED, State
from app.identity.operations import ensure_person
from app.kernel.actor import Actor
from app.kernel.errors import SlipwayError
from app.kernel.ids import new_id
from app.kernel.outbound.client import OutboundClient
from app.kernel.paging import CursorKey
from app.kernel.work import Work
from app.onboarding.migration.rows import _add_rows
from app.onboarding.models import Onboarding
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.operations.card import ask_for_card
from app.onboarding.queries.stored import state_of
from app.onboarding.upgrades import operations, queries
from app.onboarding.upgrades.rules import Line, Upgrade
from app.partners.operations import assign_role
from app.templates.operations import adopt, pin, publish
from app.templates.upgrades.operations import see_line, try_upgrade, upgrade
from tenants.tenant import Tenant
from tests.factories.installation import Installation, Partner, person
from tests.integration.onboarding.upgrades.chain import MAP, Edition

EVERYONE = By(actor="person:tester", roles=("onboarding_lead",))
ANY = frozenset({"*"})
_DELEGATION = """
    INSERT INTO {}.delegation (id, organisation_id, roles, state, reason, starts_at, ends_at, changed_at)
    VALUES (%s, %s, '["partner_admin"]', 'active', 'test', now() - interval '1 day', now() + interval '9 day', now())"""
_KEPT = "('onboarding.project_card', 'onboarding.upgrade', 'templates.copy_to_control', 'templates.copy_line')"
VARIANTS, LAST = 5, 2  # histories of a kind; events of each that happen in the product itself
BEGIN = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
Lines = dict[UUID, Line]
Stop = Callable[[Definition, State], bool]


def _share(state: State) -> float:
    tasks = [item for key, item in state.items.items() if key.startswith("task.")]
    return sum(item.state in SETTLED for item in tasks) / max(len(tasks), 1)


def _is_any(state: State, kind: str, word: str) -> bool:
    return any(key.startswith(kind) and item.state == word for key, item in state.items.items())


def _is_in_parts(plan: Definition, state: State) -> bool:
    return any("#" in key and item.state in SETTLED for key, item in state.items.items() if key in plan.items)


# How far somebody has brought an onboarding; then what else has happened to it.
STATES: dict[str, tuple[Stop, str]] = {
    "just begun": (lambda _plan, _state: True, ""),
    "a few steps": (lambda _plan, state: _share(state) > 0.15, ""),
    "in the middle": (lambda _plan, state: _share(state) > 0.5, ""),
    "at a gate": (lambda _plan, state: _is_any(state, "gate.", "open") and _share(state) > 0.2, ""),
    "with an exception": (lambda _plan, state: _share(state) > 0.3, "trouble"),
    "with a call under way": (lambda _plan, state: _is_any(state, "task.", "running"), ""),
    "on hold": (lambda _plan, state: _share(state) > 0.4, "hold"),
    "nearly finished": (lambda _plan, state: _share(state) > 0.9, ""),
    "in repeated parts": (_is_in_parts, ""),
    "whatever happened": (lambda _plan, state: _share(state) > 0.6, "luck"),
}


@dataclass(frozen=True)
class Lived:
    """One event of a history, and what it led to."""

    at: datetime
    event: events.Event
    state: State
    commands: Any
    moves: Any


def lived(definition: Definition, kind: str, seed: int) -> tuple[Lived, ...]:
    """A history that ends where the kind says: by chance, the same for the same seed."""
    chance, (stop, more) = Random(f"{kind}{seed}"), STATES[kind]  # noqa: S311  # a repeatable choice, not a secret
    walk = _Walk(definition, chance)
    for _ in range(200):
        plan = unfold(definition, walk.state.parts)
        if walk.state.status != "running" or stop(plan, walk.state) or not walk.step(wild=more == "luck"):
            break
    walk.end(more)
    return tuple(walk.history)


class _Walk:
    """Somebody who brings one onboarding forward, without a database."""

    def __init__(self, definition: Definition, chance: Random) -> None:
        self.definition, self.chance = definition, chance
        self.now, self.history, self.state = BEGIN, list[Lived](), new_state(definition)
        begin = {"follows": True, "pauses": True, "reminds": True, "clocks_follow": True}
        assert self.take(msgspec.structs.replace(_begin(definition, chance), **begin))

    def take(self, event: events.Event) -> bool:
        """Whether the engine accepted it."""
        now = self.now + timedelta(minutes=self.chance.randrange(1, 600))
        try:
            decision = decide(self.definition, self.state, event, now)
        except SlipwayError:
            return False
        if decision.state.seq == self.state.seq or decision.state.status != "running":
            return False
        self.now, self.state = now, decision.state
        self.history.append(Lived(now, event, decision.state, decision.commands, decision.moves))
        return True

    def step(self, *, wild: bool) -> bool:
        """Whether one more thing could happen."""
        plan = unfold(self.definition, self.state.parts)
        ways = list(_forward(plan, self.state, self.chance))
        self.chance.shuffle(ways)
        aside = list(_aside(plan, self.state, self.chance)) if wild and self.chance.random() < 0.25 else []
        return any(self.take(event) for event in [*aside, *ways])

    def end(self, more: str) -> None:
        """What else happens to it."""
        if more == "hold":
            self.take(events.Held(by=EVERYONE, reason_code="customer_no_response", reason="Away."))
        if more == "trouble":
            item = next((key for key, one in self.state.items.items() if one.state == "open" and "task." in key), "")
            raised = {"type": "billing_mismatch", "reason_code": "waiting_billing_info", "note": "It differs."}
            self.take(events.ExceptionRaised(by=EVERYONE, item=item, blocks=self.chance.random() < 0.5, **raised))


class Fleet:
    """A partner's customers, so many onboardings at each, and its upgrade from one edition to the next."""

    def __init__(
        self,
        installation: Installation,
        old: Edition,
        *,
        tenants: int,
        each: int,
        kinds: Iterable[str] = STATES,
        partner: Partner | None = None,
    ) -> None:
        declare_everything()
        self.names = list(kinds)
        self.installation, self.old, self.definition = installation, old, old.effective.compile()
        self.histories: dict[tuple[str, int], tuple[Lived, ...]] = {}
        services: dict[type, object] = {CursorKey: CursorKey(b"the key of this test")}
        services |= {Runner: Runner(Registry.load(), OutboundClient(), time_limit=1.0)}
        installation.runtime.services.update(services)
        self.partner = partner or installation.partner("Northwind")
        self.ada, self.lena = self._staff("ada"), self._staff("lena")
        self.publish(old)
        self.tenants: dict[UUID, Tenant] = {}
        self.kinds: dict[UUID, str] = {}
        self.where: dict[UUID, Tenant] = {}
        for number in range(tenants):
            self._fill(installation.customer(self.partner, f"Customer {number:02}"), number, each)
        self.run()

    def _staff(self, name: str) -> Actor:
        databases, organisation = self.installation.databases, self.partner.id
        who = ensure_person(databases, email=f"{name}@northwind.example", name=name.title(), locale="en")
        assign_role(databases, person(), person_id=who, organisation_id=organisation, role="partner_admin")
        roles = frozenset({"partner_admin"})
        return Actor("person", who, name.title(), organisation_id=organisation, roles=roles, stepped_up=True)

    def publish(self, edition: Edition) -> None:
        """What stands below the partner's overlay comes from its distributor; its own is published, then upgraded."""
        with self.installation.work(self.partner.home, self.ada) as work:
            top = adopt(work, edition.ground, publisher="Westwind")
            if edition.effective.digest == self.old.effective.digest:
                publish(work, edition.own)
        self.run()
        if edition.effective.digest != self.old.effective.digest:
            self._upgrade(edition, top)

    def _upgrade(self, edition: Edition, top: str) -> None:
        """Ada takes the partner's own overlay along, and decides what both sides have changed."""
        line = edition.below.id
        with self.installation.work(self.partner.home, self.ada) as work:
            decided = {edition.own.id: edition.decided[edition.own.id]}
            plan = try_upgrade(work, line, top, decided)
            assert upgrade(work, line, top, decided, seen=plan.address) == edition.effective.digest
        self.run()

    def offered(self, line: str) -> str:
        """The address of what new onboardings get of a line."""
        with self.installation.work(self.partner.home, self.ada) as work:
            return see_line(work, line).chain.effective().digest

    def run(self) -> None:
        """Everything that is due, but what leaves the building and what only tells people."""
        self.installation.cell(f"DELETE FROM cell.job WHERE kind NOT IN {_KEPT} AND state = 'ready'")  # noqa: S608 - kinds of ours
        self.installation.cell("DELETE FROM cell.outbox WHERE type NOT LIKE 'templates.%%'")
        self.installation.cell("UPDATE cell.job SET run_at = now() WHERE state = 'ready'")
        self.installation.run_due(SUBSCRIPTIONS, rounds=2_000)

    def _fill(self, tenant: Tenant, number: int, each: int) -> None:
        self.tenants[tenant.id] = tenant
        self.installation.rows(tenant, _DELEGATION, new_id(), self.partner.id)
        names = self.names
        with self.installation.work(tenant, self.ada) as work:
            pin(work, self.old.effective)
        with self.installation.work(tenant, self.ada) as work:
            for place in range(each):
                kind = names[(place + number * each) % len(names)]
                made = self._begin(work, kind, seed=number * 1000 + place)
                self.kinds[made], self.where[made] = kind, tenant

    def _begin(self, work: Work, kind: str, *, seed: int) -> UUID:
        """One onboarding: most of its history as rows at once, its last events as they happen."""
        definition, which = self.definition, (kind, seed // 1000 % VARIANTS)
        if which not in self.histories:
            self.histories[which] = lived(definition, *which)
        history = self.histories[which]
        entry = {"name": "Ada", "email": "ada@northwind.example", "locale": "en"}
        people = {
            role: [entry | {"id": str(self.ada.id if known.side == "partner" else new_id()), "side": known.side}]
            for role, known in definition.roles.items()
        }
        once = history[: max(len(history) - LAST, 1)]
        onboarding = Onboarding(
            id=new_id(),
            definition_digest=definition.digest,
            name=f"{kind} {seed}",
            state="running",
            seq=0,
            snapshot=msgspec.to_builtins(once[-1].state),
            deal={},
            people=people,
            trace_id=new_id().hex,
            started_at=once[0].at,
            first_value_at=once[-1].state.first_value_at,
        )
        onboarding.seq, onboarding.state = once[-1].state.seq, once[-1].state.phase
        work.session.add(onboarding)
        work.session.flush()
        _add_rows(work, onboarding, unfold(definition, once[-1].state.parts).items.values(), once[-1].state)
        for each in once:
            entry_of = {"onboarding_id": onboarding.id, "seq": each.state.seq, "at": each.at, "event": each.event}
            who = {"actor_kind": work.actor.kind, "actor_id": work.actor.id}
            work.write_journal(entry_of | who | {"commands": each.commands, "moves": each.moves or None})
        for each in history[len(once) :]:
            advance(work, onboarding, each.event)
        ask_for_card(work, onboarding.id, cause="filled")
        return onboarding.id

    def ask(self, new: Edition, *, versions: tuple[str, ...] = ()) -> Upgrade:
        """Ada asks for an upgrade to an edition: its dry run."""
        runtime = self.installation.runtime
        chosen = operations.choose(runtime, self.ada, self.partner.id, new.below.digest, versions)
        with self.installation.work(self.partner.home, self.ada) as work:
            return operations.ask_for_upgrade(work, chosen, wanted=MAP, reason="It is better.")

    def decide(self, upgrade: Upgrade, actor: Actor | None = None, **said: Any) -> Upgrade:
        """Lena agrees to what the dry run shows."""
        word: dict[str, Any] = {"agreed": True, "seen": upgrade.preview, "versions": ANY} | said
        with self.installation.work(self.partner.home, actor or self.lena) as work:
            return operations.decide_upgrade(work, upgrade_id=upgrade.id, **word)

    def take_back(self, upgrade: Upgrade, actor: Actor | None = None, **said: Any) -> Upgrade:
        """Ada wants it undone."""
        word: dict[str, Any] = {"reason": "It confuses people.", "versions": ANY} | said
        with self.installation.work(self.partner.home, actor or self.ada) as work:
            return operations.take_back_upgrade(work, upgrade_id=upgrade.id, **word)

    def take_one_back(self, upgrade: Upgrade, onboarding: UUID) -> Upgrade:
        """Ada wants a single one undone."""
        return self.take_back(upgrade, onboarding_id=onboarding, reason="They are not ready.")

    def read(self, upgrade: Upgrade) -> tuple[Upgrade, Lines]:
        """The upgrade as it is now, and its onboardings."""
        with self.installation.work(self.partner.home, self.ada) as work:
            found, parts = queries.read_upgrade(work, upgrade.id)
        return found, {line.onboarding: line for part in parts for line in part.lines}

    def work_on(self, edition: Edition, onboardings: Iterable[UUID]) -> int:
        """Each goes on by a few steps with what it runs now. Returns how many were done."""
        definition, done = edition.effective.compile(), 0
        for id_ in onboardings:
            chance = Random(str(self.kinds[id_]))  # noqa: S311  # a repeatable choice, not a secret
            with self.installation.work(self.where[id_], self.ada) as work:
                onboarding = lock_onboarding(work, id_)
                for _ in range(2):
                    state = state_of(onboarding)
                    ways = list(_forward(unfold(definition, state.parts), state, chance))
                    chance.shuffle(ways)
                    done += any(self._try(work, onboarding, event) for event in ways)
        return done

    def _try(self, work: Work, onboarding: Onboarding, event: events.Event) -> bool:
        try:
            return advance(work, onboarding, event).state.seq > 0
        except SlipwayError:
            return False

    def states(self) -> dict[UUID, Any]:
        """All live onboardings as their rows are."""
        found: dict[UUID, Any] = {}
        for tenant in self.tenants.values():
            found |= {row.id: row for row in self.installation.rows(tenant, "SELECT * FROM {}.onboarding")}
        return found

    def journals(self) -> dict[UUID, list[str]]:
        """Each one's journal, entry by entry, as text."""
        found: dict[UUID, list[str]] = {}
        for tenant in self.tenants.values():
            query = "SELECT onboarding_id, to_jsonb(j)::text AS entry FROM {}.journal j ORDER BY onboarding_id, seq"
            for row in self.installation.rows(tenant, query):
                found.setdefault(row.onboarding_id, []).append(row.entry)
        return found

    def moves_of(self, onboarding: UUID, seq: int) -> list[dict[str, Any]]:
        """The dates that moved with one entry of its journal."""
        query = "SELECT moves FROM {}.journal WHERE onboarding_id = %s AND seq = %s"
        [row] = self.installation.rows(self.where[onboarding], query, onboarding, seq)
        return row.moves or []

    def said(self, day: datetime) -> str:
        """A moment as journals write it."""
        return str(msgspec.to_builtins(day))

    def pinned(self, digest: str) -> set[tuple[UUID, str]]:
        """The bytes that each workspace has pinned under that address."""
        query = "SELECT document::text AS text FROM {}.definition WHERE digest = %s"
        return {
            (tenant.id, row.text)
            for tenant in self.tenants.values()
            for row in self.installation.rows(tenant, query, digest)
        }

    def documents(self, digest: str) -> Iterator[dict[str, Any]]:
        """The same as documents."""
        for tenant in self.tenants.values():
            query = "SELECT document FROM {}.definition WHERE digest = %s"
            yield from (row.document for row in self.installation.rows(tenant, query, digest))
