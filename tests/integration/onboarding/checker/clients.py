"""People who bring onboardings forward, each command under a key that is sent until it is answered, sometimes again."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from app.flow.definition import Item
from app.flow.steps.resolving import needs_second_person
from app.kernel.actor import Actor
from app.kernel.commands import Result, fingerprint, run_command
from app.kernel.errors import SlipwayError, Unavailable
from app.kernel.ids import new_id
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.operations.trouble import Verdict
from app.onboarding.queries.picture import Picture
from app.onboarding.queries.stored import find_onboarding
from tenants.sessions import DatabaseAway
from tenants.tenant import Tenant
from tests.factories.api import Said
from tests.factories.main_job import MainJob
from tests.factories.walker import PROOF, connect_product, customer_of, fitting, picture_of
from tests.integration.onboarding.checker.ground import Ground, insist
from tests.integration.onboarding.checker.people import Desk

_PATIENCE = 60.0  # seconds until a command that is not answered counts as never answered
_PAUSE = 0.05
_EVIDENCE = {"statement": PROOF.statement, "link": PROOF.link}


@dataclass(frozen=True)
class Acknowledged:
    """A command that was answered: its key, and the first and last journal entry it has made."""

    key: str
    actor: Actor
    first: int
    last: int


@dataclass(frozen=True)
class Command:
    """What one person sends about one version of the onboarding."""

    actor: Actor
    method: str
    path: str
    body: Any
    version: int


@dataclass
class Case:
    """One onboarding as its people see it."""

    ground: Ground
    desk: Desk
    canary: str
    deal: str
    tenant: Tenant
    id: UUID
    connected: bool = True  # whether somebody has set the product's connection up
    answered: list[Acknowledged] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # the last few answers that somebody was not served with
    ended: Any = None  # the row as it was when it was first seen at its end

    @property
    def shop(self) -> MainJob:
        """Its partner and the world around."""
        return self.ground.shop

    @property
    def path(self) -> str:
        """Where software finds it."""
        return f"/api/v1/tenants/{self.tenant.id}/onboardings/{self.id}"

    def step(self, chance: Random) -> None:
        """Look, and do one of the things that somebody can do."""
        seen = insist(lambda: picture_of(self.shop, self.tenant, self.id))
        if seen.state.status != "running":
            return
        raised = sorted(each.id for each in seen.state.open_exceptions() if each.blocks)
        steps = [
            item for item in seen.definition.items.values() if seen.of(item.key).state == "open" and _by_people(item)
        ]
        calls = [
            item for item in seen.definition.items.values() if item.action and seen.of(item.key).state == "blocked"
        ]
        if raised and (not steps or chance.random() < 0.5):
            self._resolve(chance, seen, raised[0], skip=bool(calls) and chance.random() < 0.3)
        elif steps:
            self._do(chance, seen, chance.choice(steps))

    def _do(self, chance: Random, seen: Picture, item: Item) -> None:
        actor = customer_of(self.shop, self.tenant) if item.side == "customer" else self.shop.lead
        path, body, version = f"{self.path}/tasks/{item.key}/completion", dict[str, Any](), seen.state.seq
        if item.kind == "gate":
            version = self._give_missing_facts(chance, seen, item)
            # Where something that a check asks for was left out, its reviewer decides in spite of it.
            effect = "override" if any("gate-incomplete" in said for said in self.refused) else "pass"
            buttons = item.review.decisions if item.review else ()
            button = next((each.id for each in buttons if each.effect == effect), buttons[0].id)
            path = f"{self.path}/gates/{item.key}/decision"
            body = {"decision": button, "reason": "It was left out." if effect == "override" else ""}
        elif item.kind == "milestone":
            path, body = f"{self.path}/milestones/{item.key}/proof", {"evidence": _EVIDENCE}
        else:
            body = {"answers": {each.id: fitting(each) for each in item.fields}}
            body |= {"evidence": _EVIDENCE} if item.evidence and item.evidence.source == "person" else {}
        self._send(chance, Command(actor, "POST", path, body, version))

    def _give_missing_facts(self, chance: Random, seen: Picture, gate: Item) -> int:
        """What the gate asks of the packet; the version afterwards."""
        facts = {entry.field.id: fitting(entry.field) for entry in seen.definition.handoff}
        facts = {name: value for name, value in facts.items() if not seen.state.packet.get(name)}
        if not (gate.review and gate.review.handoff and facts):
            return seen.state.seq
        wanted = Command(self.shop.lead, "PATCH", f"{self.path}/packet", {"facts": facts}, seen.state.seq)
        told = self._send(chance, wanted)
        return told if told is not None else seen.state.seq

    def _resolve(self, chance: Random, seen: Picture, key: str, *, skip: bool) -> None:
        """End an exception; what takes two is proposed, sometimes anew, and somebody agrees: not always another."""
        exception = seen.state.exceptions[key]
        if not skip and not self.connected:
            insist(lambda: connect_product(self.shop, self.tenant))
            self.connected = True
        two = needs_second_person(seen.definition, exception, "skip" if skip else "retry")
        if exception.proposal is None or chance.random() < 0.2:
            query = "SELECT id FROM {}.exception WHERE subject_id = %s AND key = %s"
            [row] = insist(lambda: self.shop.installation.rows(self.tenant, query, self.id, key))
            path = f"{self.path}/exceptions/{row.id}/resolution"
            body = {"resolution": "skip" if two else "retry", "reason": f"It may work now: {chance.randint(1, 99)}."}
            self._send(chance, Command(self.shop.lead, "POST", path, body, seen.state.seq))
        else:
            read = exception.proposal.digest
            actor = self.shop.lead if chance.random() < 0.3 else self.shop.staff["tom"]
            to: dict[str, Any] = {"onboarding_id": self.id, "exception": key}
            said = Verdict(chance.random() < 0.7, read, "Seen.")
            self._run(actor, lambda work: operations.decide_proposal(work, verdict=said, **to), to)

    def _send(self, chance: Random, command: Command) -> int | None:
        """Send it until it is answered; the version it has led to, or None where it was refused."""
        key, end = new_id().hex, time.monotonic() + _PATIENCE
        twice = chance.random() < 0.15
        said = self._twice_at_once(command, key) if twice else self._once(command, key)
        while said is None:
            assert time.monotonic() < end, f"{command.path} was never answered; {self.desk.surprises}"
            self.ground.mend()
            time.sleep(_PAUSE)  # the program comes up meanwhile
            said = self._once(command, key)
        if said.status >= 400:
            self.refused = [*self.refused[-3:], f"{command.path.rsplit('/', 2)[-2:]}: {said.body}"]
            return None  # refused: things have moved on, or it is not yet provable; nothing was accepted
        last = int(said.headers["etag"].strip('"'))
        self.answered.append(Acknowledged(f"{command.actor.label}:{key}", command.actor, command.version + 1, last))
        if chance.random() < 0.3:
            again = self._once(command, key)
            assert again is None or (again.status, again.body) == (said.status, said.body), (said, again)
        return last

    def _once(self, command: Command, key: str) -> Said | None:
        headers = {"idempotency-key": key, "if-match": f'"{command.version}"'}
        return self.desk.send(command.actor.id, command.method, command.path, command.body, **headers)

    def _twice_at_once(self, command: Command, key: str) -> Said | None:
        """A double click: both are told the same, as far as they are told anything."""
        told: list[Said | None] = []
        clicks = [threading.Thread(target=lambda: told.append(self._once(command, key))) for _click in range(2)]
        self.desk.caller(command.actor.id)
        for click in clicks:
            click.start()
        for click in clicks:
            click.join()
        known = [said for said in told if said is not None]
        taken = [(said.status, said.body) for said in known if said.status < 400]
        assert taken in ([], taken[:1] * len(known)), told
        return known[0] if known else None

    def _run(self, actor: Actor, operation: Any, body: dict[str, Any]) -> None:
        """A form of a page, as the door runs it: in a transaction of this process."""
        key, mark = new_id().hex, fingerprint("form", sorted(map(str, body.items())))

        def perform(work: Work) -> Result:
            before = find_onboarding(work.session, self.id).seq
            operation(work)
            return {"first": before + 1, "last": find_onboarding(work.session, self.id).seq}

        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            try:
                result, _replayed = run_command(
                    self.shop.runtime, self.tenant, actor, key=key, mark=mark, trace_id="checker", operation=perform
                )
            except (DatabaseAway, Unavailable):
                continue
            except SlipwayError:
                return  # refused
            first, last = int(str(result["first"])), int(str(result["last"]))
            self.answered.append(Acknowledged(f"{actor.label}:{key}", actor, first, last))
            return
        raise AssertionError("a form was never answered")


def _by_people(item: Item) -> bool:
    if item.kind == "milestone":
        return item.evidence is not None and item.evidence.source == "person"
    return item.kind == "gate" or (item.kind == "task" and item.action is None)
