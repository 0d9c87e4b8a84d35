"""One onboarding of the managed-services template, driven event by event. Not a test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeVar

from app.flow import events
from app.flow.calendar import Calendar
from app.flow.commands import Decision
from app.flow.decide import Recorded, decide, new_state
from app.flow.definition import Definition
from app.flow.events import By, Event, Evidenced
from app.flow.fields import Value
from app.templates.library import open_shelf

T = TypeVar("T")
MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # nine o'clock in Berlin
BERLIN = Calendar(zone="Europe/Berlin")
STAFF = By(actor="person:mara", roles=("revops", "onboarding_lead", "csm", "implementation_lead", "cs_leader"))
CUSTOMER = By(actor="person:kim", side="customer", roles=("customer_owner",))
PROOF = Evidenced(statement="Ticket 4711 was solved in 20 minutes.", link="https://desk.example/4711")


@cache
def managed_services() -> Definition:
    return open_shelf("msp/managed-services").template.compile()


def full_packet(definition: Definition) -> dict[str, Value]:
    return {each.field.id: f"Known {each.field.id}" for each in definition.handoff}


def started(packet: dict[str, Value], **inputs: Value) -> events.Started:
    return events.Started(
        by=STAFF,
        inputs={"plan": "team", "seats": 40, **inputs},
        packet=packet,
        partner=BERLIN,
        customer=BERLIN,
        reference="onboarding-1",
        follows=True,
        pauses=True,
        reminds=True,
        clocks_follow=True,
    )


class Run:
    """Applies events and keeps the history; `now` moves one minute with each."""

    def __init__(self, packet: dict[str, Value] | None = None, definition: Definition | None = None) -> None:
        self.definition = definition or managed_services()
        self.now = MONDAY
        self.state = new_state(self.definition)
        self.history: list[Recorded] = []
        first = started(full_packet(self.definition) if packet is None else packet)
        self.last: Decision = self.apply(first)

    def apply(self, event: Event) -> Decision:
        decision = decide(self.definition, self.state, event, self.now)
        if decision.state is not self.state:
            self.history.append(Recorded(at=self.now, event=event))
        self.state, self.last = decision.state, decision
        self.now += timedelta(minutes=1)
        return decision

    def item(self, key: str):
        return self.state.items[key]

    def accept(self) -> Decision:
        return self.apply(events.GateDecided(by=STAFF, gate="gate.handoff_quality", decision="accept"))

    def complete(self, task: str, **answers: Value) -> Decision:
        side = self.definition.items[task].side
        by = CUSTOMER if side == "customer" else STAFF
        return self.apply(events.TaskCompleted(by=by, task=task, answers=answers, evidence=PROOF))

    def until_workspace(self, workplaces: int = 30, sites: int = 2) -> Decision:
        """Up to the moment at which the connector is asked."""
        self.accept()
        self.complete("task.assign_team", engineer="Ada", fallback="Bo")
        self.complete("task.confirm_billing", entity_matches=True, plan_matches=True, bill_to_known=True)
        self.complete("task.schedule_kickoff", kickoff_on="2026-03-09")
        return self.describe(workplaces, sites)

    def describe(self, workplaces: int = 30, sites: int = 2) -> Decision:
        return self.complete(
            "task.describe_environment",
            workplaces=workplaces,
            sites=sites,
            identity="entra",
            admin_email="it@acme.example",
        )

    def until_launch(self, workplaces: int = 30, sites: int = 2) -> None:
        self.until_workspace(workplaces, sites)
        self.apply(events.ActionSucceeded(task="task.create_workspace", request=1, result={"id": "ws-1"}))
        self.complete("task.invite_admin")
        self.complete("task.review_environment", within_scope=True, supported=True)
        self.complete("task.kickoff", held_on="2026-03-09")
        self.complete("task.confirm_goals", approved=True)

    def until_value(self) -> None:
        self.until_launch()
        self.apply(events.GateDecided(by=STAFF, gate="gate.launch", decision="launch"))
        self.complete("task.deploy_agents", covered=30)
        self.complete("task.test_alert", received=True)
        self.complete("task.train_staff", trained_on="2026-03-12", people=28)
        self.complete("task.announce")
        self.complete("task.solve_first_ticket", ticket="4711", minutes=20)
        self.complete("task.confirm_value", approved=True)

    def prove(self) -> Decision:
        return self.apply(events.MilestoneProven(by=STAFF, milestone="milestone.first_ticket_solved", evidence=PROOF))


def of_type(decision: Decision, kind: type[T]) -> list[T]:
    return [each for each in decision.commands if isinstance(each, kind)]
