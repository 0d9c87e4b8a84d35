"""What has happened at a demo partner until now: deals that came in and what people did about them, day by day.

Everything goes through the doors' own operations, on a business clock that is moved through the past. Killed, it can be
told again: each deed is a command that counts once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from app.connectors.operations import ConnectionSetting, add_connection
from app.demo.embedded.folder import write_private
from app.demo.world import crm
from app.demo.world.clock import BusinessClock, at_hour, working_day
from app.demo.world.course import Deed, Scene, next_deeds
from app.demo.world.crm import CrmClient
from app.demo.world.house import TRACE, House, actor_of, once
from app.demo.world.shapes import Sale
from app.demo.world.tokens import Tokens
from app.flow.definition import Definition
from app.flow.events import Evidenced
from app.flow.state import State
from app.intake.operations import HookMessage, receive_messages
from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from app.onboarding.operations import complete_task, decide_gate, prove_milestone
from app.onboarding.queries.cards import Asked
from app.onboarding.queries.home import get_customers
from app.onboarding.queries.stored import find_onboarding, plan_of, state_of
from app.templates.trials.reading import read_sample
from app.templates.workbench.files import LIBRARY, SAMPLE, shown, text_of
from app.vault.secret import Secret
from tenants.registry import find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant

PRODUCT = "product_admin"
ARRIVES, HOURS = 8, (9, 13)  # hours of a day, UTC: deals come in, people do something
DEEDS = 3  # how much is done of one onboarding in one of those hours


@dataclass(frozen=True, slots=True)
class Tools:
    """What telling takes: the runtime, the CRM's port, the clock, the tokens, and `settle`, which does what is due."""

    runtime: Runtime
    crm_port: int
    clock: BusinessClock
    tokens: Tokens
    settle: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Running:
    """An onboarding that came of a sale."""

    tenant: Tenant
    onboarding_id: UUID


def tell(tools: Tools, houses: list[House], today: date, *, bookmark: Bookmark) -> None:
    """Everything up to now, over all partners in the order of time; ends with the clock put back."""
    stories = [Story(tools, house, sale, today) for house in houses for sale in house.partner.sales]
    longest = max(story.sale.closed for story in stories)
    try:
        for ago in range(min(longest, bookmark.read(longest)), 0, -1):
            day = working_day(today, -ago)
            for hour in (ARRIVES, *HOURS):
                for number, story in enumerate(stories):
                    # However many there are, all of an hour's deeds stay within it: a deal comes in by its hour.
                    story.live(ago, at_hour(day, hour) + timedelta(minutes=number * 59 // len(stories)))
                tools.settle()
            bookmark.write(ago)
    finally:
        tools.clock.put_back()
    tools.settle()


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far the telling has come: after a kill it goes on there, so that nothing is dated before what led to it."""

    path: Path

    def read(self, first: int) -> int:
        """Which day comes next, in working days before today."""
        return int(self.path.read_text()) - 1 if self.path.exists() else first

    def write(self, ago: int) -> None:
        """That day is told to its end."""
        write_private(self.path, str(ago))


@cache
def sample_answers(template: str) -> Mapping[str, Mapping[str, Any]]:
    """What the sample beside a template of the library answers, by task."""
    path = LIBRARY / template / SAMPLE
    return read_sample(text_of(path), shown(path)).of("answers") if path.is_file() else {}


class Story:
    """One sale and what follows from it."""

    def __init__(self, tools: Tools, house: House, sale: Sale, today: date) -> None:
        self.sale = sale
        self._tools = tools
        self._house = house
        self._today = today
        self._running: Running | None = None
        self._finished = False
        self._actors: dict[str, Actor] = {}

    def live(self, ago: int, moment: datetime) -> None:
        """What happens at one moment of a day, `ago` working days before today."""
        if ago > self.sale.closed or self._finished:
            return
        self._tools.clock.show(moment)
        if moment.hour == ARRIVES:
            if ago == self.sale.closed:
                self._close_deal(ago)
            return
        running = self._find_running()
        if running is None:
            return
        if ago == self.sale.closed and moment.hour == HOURS[0]:
            self._connect(running)
        self._work(running, working_day(self._today, -ago))

    def _work(self, running: Running, day: date) -> None:
        """What people get done of it in one of a day's hours."""
        partner = self._house.partner
        scene = Scene(partner, self.sale, day, sample_answers(partner.lane(self.sale.segment).template))
        for _deed in range(DEEDS):
            definition, state = self._read(running)
            self._finished = state.status == "finished"
            deed = next(next_deeds(scene, definition, state), None)
            if deed is None:
                break
            self._do(running, deed)

    def _close_deal(self, ago: int) -> None:
        """The deal is won in the CRM, and the CRM says so."""
        slug = self._house.partner.slug
        client = CrmClient(self._tools.crm_port, self._tools.tokens[f"{slug}/{crm.SOURCE}"])
        closed_on = working_day(self._today, -ago)
        name = crm.deal_properties(self.sale, closed_on)["dealname"]
        deal_id = client.find_deal(name) or client.create_deal(self.sale, closed_on)
        home = self._house.home
        actor = Actor(kind="service", id=home.id, name=crm.SOURCE)
        body = {"subscriptionType": "deal.propertyChange", "objectId": int(deal_id)}
        body |= {"propertyName": "dealstage", "propertyValue": "closedwon"}
        message = HookMessage(external_id=f"demo:{self.sale.key}", deal_id=deal_id, starts=True, body=body)
        with open_work(self._tools.runtime, home, actor, trace_id=f"{TRACE}-{self.sale.key}") as work:
            receive_messages(work, source=crm.SOURCE, messages=[message])

    def _find_running(self) -> Running | None:
        """The onboarding, once its deal has been admitted and its tenant made."""
        if self._running is None:
            runtime = self._tools.runtime
            line = self._find_line()
            if line is not None:
                with lookup_session(runtime.databases) as (session, _now):
                    tenant = find_tenant(session, line[0])
                self._running = Running(tenant, line[1]) if tenant else None
        return self._running

    def _find_line(self) -> tuple[UUID, UUID] | None:
        """Tenant and onboarding of this sale's customer, on whichever page of the partner's list they stand."""
        lead, asked = self._actor(self._house.partner.player("onboarding_lead").email), Asked()
        while True:
            page = get_customers(self._tools.runtime, lead, self._house.organisation_id, asked)
            sold = [card for tenant, card, _health in page.tenants if card and tenant.name == self.sale.account]
            found = [(card.tenant_id, card.onboarding_id) for card in sold]
            if found or not page.older:
                return found[0] if found else None
            asked = Asked(page.older)

    def _connect(self, running: Running) -> None:
        """The technical colleague connects the product, with a token of this customer's account only."""
        word = f"{self.sale.key}/{PRODUCT}"
        setting = ConnectionSetting(PRODUCT, "Product", {}, {"api_token": Secret(self._tools.tokens[word])})

        def operation(work: Work) -> dict[str, object]:
            return {"id": str(add_connection(work, setting))}

        self._as(running, self._house.partner.player("implementation_lead").email, "connect", operation)

    def _read(self, running: Running) -> tuple[Definition, State]:
        actor = Actor(kind="service", id=running.tenant.id, name="demo")
        with open_work(self._tools.runtime, running.tenant, actor, trace_id=TRACE) as work:
            onboarding = find_onboarding(work.session, running.onboarding_id)
            return plan_of(work, onboarding), state_of(onboarding)

    def _do(self, running: Running, deed: Deed) -> None:
        onboarding_id = running.onboarding_id
        proof = Evidenced(statement=deed.statement) if deed.statement else None

        def operation(work: Work) -> dict[str, object]:
            if deed.verb == "decide":
                decide_gate(
                    work, onboarding_id=onboarding_id, gate=deed.key, decision=deed.decision, reason=deed.statement
                )
            elif deed.verb == "prove":
                prove_milestone(work, onboarding_id=onboarding_id, milestone=deed.key, evidence=proof or Evidenced())
            else:
                complete_task(work, onboarding_id=onboarding_id, task=deed.key, answers=deed.answers, evidence=proof)
            return {}

        self._as(running, deed.by, deed.key, operation)

    def _as(self, running: Running, email: str, deed: str, operation: Callable[[Work], dict[str, object]]) -> None:
        once(self._tools.runtime, running.tenant, self._actor(email), deed, operation)

    def _actor(self, email: str) -> Actor:
        if email not in self._actors:
            self._actors[email] = actor_of(self._tools.runtime, self._house, email)
        return self._actors[email]
