"""Says what an applied event meant: announcements with their trail entries, told in the journal's order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from app.flow import events as flow
from app.flow.commands import (
    ContinueTimer,
    Decision,
    Finish,
    NotifyRole,
    OpenException,
    PauseTimer,
    ReachFirstValue,
    RequestAction,
    SendCommunication,
)
from app.flow.communications.policy import SUPPRESSED
from app.flow.definition import Definition, Item
from app.flow.migration.standing import TOO_LATE
from app.flow.state import ItemState, State
from app.flow.steps.exceptions import UNDO
from app.kernel.events import Event
from app.kernel.work import Work
from app.onboarding import events
from app.onboarding.communications import events as talking
from app.onboarding.handing.telling import told_of_credentials
from app.onboarding.migration import events as migrating
from app.onboarding.models import Onboarding
from app.onboarding.parts import events as parts
from app.onboarding.people import find_answering, holders
from app.onboarding.signing.telling import told_of_signing
from app.onboarding.sold import sold_of


@dataclass(frozen=True, slots=True)
class Told:
    """One journal entry: what was before, what happened, what follows, and the runs that were asked for by task."""

    definition: Definition
    before: State
    event: flow.Event
    decision: Decision
    runs: dict[str, UUID]


def tell(work: Work, onboarding: Onboarding, entry: Told) -> list[tuple[UUID, Event]]:
    """Announce everything that this journal entry means, in the order in which it happened. Returns it with its ids."""
    teller = _Teller(onboarding, entry)
    told = [*teller.of_event(entry.event), *teller.of_changes(), *teller.of_commands(entry.runs)]
    return [(work.announce(news, lane_seq=onboarding.seq), news) for news in told]


class _Teller:
    """Builds the announcements of one decision."""

    def __init__(self, onboarding: Onboarding, entry: Told) -> None:
        self.onboarding = onboarding
        self.definition, self.before, self.decision = entry.definition, entry.before, entry.decision
        self.about: dict[str, Any] = {"subject_id": onboarding.id, "onboarding_id": onboarding.id}

    def of_event(self, event: flow.Event) -> list[Event]:
        """What the event itself says."""
        told: list[Event] = []
        match event:
            case flow.Started():
                told = self._started()
            case flow.PacketChanged(facts=facts):
                told = [events.PacketCorrected(facts=dict(facts), **self.about), *self._handoff()]
            case flow.GateDecided():
                told = [self._gate_decided(event)]
            case flow.TimerFired(timer=timer, rung=rung):
                role = self.definition.timers[timer].ladder[rung].role
                told = [events.SLABreached(timer=timer, rung=rung, role=role, **self.about)]
            case flow.ReminderDue(item=item):
                number = self.decision.state.reminders[item].sent
                told = [events.Reminded(item=item, number=number, **self.about)]
            case flow.DueDateSet() | flow.GoLiveSet() | flow.CalendarChanged():
                told = [self._dates(event)]
            case flow.OwnerAssigned(item=item, person=person, reason=reason):
                told = [events.ItemAssigned(item=item, person=person, reason=reason or None, **self.about)]
            case flow.ActionSucceeded() | flow.ActionFailed() | flow.ActionUnknown():
                told = [self._wrote_back(event)]
            case flow.TaskCompleted() | flow.CredentialsGiven() | flow.TaskSigned():
                told = told_of_credentials(self.definition, event, self.about)
                told += told_of_signing(self.definition, event, self.decision.state, self.about)
            case _:
                told = self._of_course(event)
        return told

    def _of_course(self, event: flow.Event) -> list[Event]:
        """What a person changed in the course of the onboarding, or did about an exception."""
        told: list[Event] = []
        match event:
            case flow.ExceptionResolutionProposed(proposed=proposed):
                told = [self._of_exception(event, proposed.exception)]
            case flow.ExceptionResolved():
                told = self._other_values(event)
            case flow.ExceptionResolutionDecided(exception=key, agreed=agreed):
                asked = self.before.exceptions[key].proposal
                done = self._other_values(asked.resolved) if asked and agreed else []
                told = [self._of_exception(event, key), *done]
            case (
                flow.ExceptionAnswered(exception=key)
                | flow.ExceptionReassigned(exception=key)
                | flow.RetryScheduled(exception=key)
                | flow.ExceptionAged(exception=key)
            ):
                told = [self._of_exception(event, key)]
            case flow.Held() | flow.Resumed():
                told = self._held(event)
            case flow.MigrationProposed() | flow.MigrationDeclined() | flow.Migrated():
                told = [self._migrated(event)]
            case _:
                told = self._of_plan(event)
        return told

    def _of_plan(self, event: flow.Event) -> list[Event]:
        """What a person took out of the plan, put into it, or let begin anew."""
        told: list[Event] = []
        match event:
            case flow.ItemSkipped(item=item, reason=reason):
                told = [events.ItemSkipped(item=item, reason=reason, **self.about)]
            case flow.ItemDeclined(item=item, reason=reason):
                told = [events.ItemDeclined(item=item, reason=reason, **self.about)]
            case flow.PartAdded(item=item, name=name):
                told = [parts.PartAdded(item=item, name=name, **self.about)]
            case flow.PartRemoved(item=item, reason=reason):
                told = [parts.PartRemoved(item=item, reason=reason or None, **self.about)]
            case flow.RolledBack(stage=stage, reason=reason):
                told = [self._rolled_back(stage, reason)]
        return told

    def _migrated(self, event: flow.MigrationProposed | flow.MigrationDeclined | flow.Migrated) -> Event:
        about: dict[str, Any] = self.about | {"reason": event.reason}
        if isinstance(event, flow.MigrationProposed):
            asked: dict[str, Any] = {
                "version": event.version,
                "definition_digest": event.definition,
                "plan": event.plan,
            }
            return migrating.MigrationProposed(**asked, **about)
        if isinstance(event, flow.MigrationDeclined):
            waiting = self.before.migration
            return migrating.MigrationDeclined(version=waiting.proposed.version if waiting else "", **about)
        made, now = self.decision.state.migrations[-1], self.decision.state.items
        late = [key for key, item in now.items() if item.reason == TOO_LATE and item.settled_at == made.at]
        return migrating.OnboardingMigrated(
            version=event.version,
            definition_digest=event.definition,
            before=event.before,
            proposed_by=event.proposed_by,
            items=made.items,
            dropped=list(made.departed),
            not_needed=late,
            **about,
        )

    def of_changes(self) -> list[Event]:
        """What became open or done."""
        told: list[Event] = []
        for change in self.decision.changes:
            state = change.attributes.get("state")
            item, now = self.definition.items[change.item], self.decision.state.items[change.item]
            if item.kind == "task" and state == "done":
                told.append(self._task_completed(item, now))
            elif item.sends and state == "skipped" and now.reason == SUPPRESSED:
                told.append(talking.CommunicationKeptBack(task=item.key, communication=item.sends, **self.about))
            elif item.kind == "task" and state == "open" and item.side == "customer":
                due = now.due_at.isoformat() if now.due_at else None
                told.append(events.CustomerTaskOpened(task=item.key, owner=item.owner, due_at=due, **self.about))
            elif item.kind == "milestone" and state == "done":
                told.append(self._milestone_completed(item, now))
        return told

    def of_commands(self, runs: dict[str, UUID]) -> list[Event]:
        """What was asked for, reached or ended."""
        told: list[Event] = []
        for command in self.decision.commands:
            match command:
                case RequestAction(task=task, connector=connector, action=action):
                    asked: dict[str, Any] = {
                        "task": task,
                        "connector": connector,
                        "action": action,
                        "run_id": str(runs[task]),
                    }
                    told.append(events.ProvisioningRequested(**asked, **self.about))
                case SendCommunication():
                    told.append(self._message_sent(command))
                case PauseTimer(item=item, timer=timer, exception=key, reason_code=code):
                    paused: dict[str, Any] = {"item": item, "timer": timer, "exception": key, "reason_code": code}
                    told.append(events.ClockPaused(**paused, **self.about))
                case ContinueTimer():
                    told.append(self._clock_continued(command))
                case ReachFirstValue():
                    told.append(self._first_value(command))
                case Finish(outcome=outcome, reason=reason):
                    told.append(events.OnboardingEnded(outcome=outcome, reason=reason or None, **self.about))
        return told

    def _message_sent(self, command: SendCommunication) -> Event:
        answering = find_answering(self.onboarding, command.replies_to)
        return talking.CommunicationSent(
            task=command.task,
            communication=command.communication,
            kind=command.kind,
            role=command.to,
            people=[person.name for person in holders(self.onboarding, command.to)],
            replies_to=answering.name if answering else "",
            by_itself=command.by_itself,
            number=command.number,
            subject=command.subject,
            text=command.body,
            **self.about,
        )

    def _clock_continued(self, command: ContinueTimer) -> Event:
        due_at = self.decision.state.timers[command.timer].due_at.isoformat()
        since: dict[str, Any] = {"paused_since": command.paused_since.isoformat(), "due_at": due_at}
        return events.ClockContinued(item=command.item, timer=command.timer, **since, **self.about)

    def _started(self) -> list[Event]:
        owners = {
            role: ", ".join(person["name"] for person in people) for role, people in self.onboarding.people.items()
        }
        started = events.OnboardingStarted(
            name=self.onboarding.name,
            template=f"{self.definition.id} {self.definition.version}",
            definition_digest=self.definition.digest,
            owners=owners,
            milestones=[item.key for item in self.definition.of_kind("milestone")],
            package=self._sold(),
            **self.about,
        )
        return [*self._handoff(), started]

    def _sold(self) -> dict[str, Any] | None:
        """The package that it was sold with, by its address, and the add-ons."""
        sold = sold_of(self.onboarding.deal)
        if sold is None:
            return None
        named = {name: sold[name] for name in ("id", "version", "digest")}
        return named | {"add_ons": [each["id"] for each in sold["add_ons"]]}

    def _rolled_back(self, stage: str, reason: str) -> Event:
        opened = [each.exception for each in self.decision.commands if isinstance(each, OpenException)]
        not_undone = [each.item for each in opened if each.place == UNDO]
        return events.OnboardingRolledBack(item=stage, not_undone=not_undone, reason=reason, **self.about)

    def _of_exception(self, event: flow.Event, key: str) -> Event:
        now = self.decision.state.exceptions[key]
        about: dict[str, Any] = self.about | {"item": now.item, "exception": now.type}
        match event:
            case flow.ExceptionAnswered(note=note):
                return events.ExceptionAnswered(in_time=now.answered_in_time, reason=note, **about)
            case flow.ExceptionReassigned(reason=reason):
                return events.ExceptionReassigned(role=now.route[0], person=now.owner, reason=reason, **about)
            case flow.ExceptionResolutionProposed(proposed=proposed):
                about |= {"resolution": proposed.resolution, "reason": proposed.reason}
                about |= {"fields": sorted(proposed.input)}
                return events.ResolutionProposed(**about)
            case flow.ExceptionResolutionDecided(agreed=agreed, reason=reason):
                return events.ResolutionDecided(agreed=agreed, reason=reason or None, **about)
            case flow.ExceptionAged():
                roles = [each.role for each in self.decision.commands if isinstance(each, NotifyRole)]
                return events.ExceptionAged(roles=roles, **about)
            case flow.RetryScheduled(at=at, reason=reason):
                return events.RetryScheduled(at=at.isoformat(), reason=reason, **about)
        raise AssertionError(event)

    def _other_values(self, resolved: flow.ExceptionResolved) -> list[Event]:
        """Which values were other than the plan's; what they were is in the journal, for who may read that."""
        if not resolved.input:
            return []
        now = self.decision.state.exceptions[resolved.exception]
        told: dict[str, Any] = {"item": now.item, "exception": now.type, "fields": sorted(resolved.input)}
        return [events.InputChanged(reason=resolved.reason, **told, **self.about)]

    def _held(self, event: flow.Held | flow.Resumed) -> list[Event]:
        if isinstance(event, flow.Held):
            return [events.OnboardingHeld(reason_code=event.reason_code, reason=event.reason, **self.about)]
        since = self.before.hold.since.isoformat() if self.before.hold else ""
        return [events.OnboardingResumed(held_since=since, reason=event.reason or None, **self.about)]

    def _handoff(self) -> list[Event]:
        gates = [item.key for item in self.definition.of_kind("gate") if item.review and item.review.handoff]
        sources = {entry.field.id: entry.source for entry in self.definition.handoff}
        missing = missing_fields(self.definition, self.decision.state.packet)
        return [events.HandoffValidated(gate=gate, missing=missing, sources=sources, **self.about) for gate in gates]

    def _gate_decided(self, event: flow.GateDecided) -> Event:
        missing = missing_fields(self.definition, self.decision.state.packet)
        told: dict[str, Any] = {
            "gate": event.gate,
            "decision": event.decision,
            "missing": missing,
            "reason": event.reason or None,
        }
        return events.GateDecided(**told, **self.about)

    def _dates(self, event: flow.DueDateSet | flow.GoLiveSet | flow.CalendarChanged) -> Event:
        moved, why = len(self.decision.moves), {"reason": event.reason, **self.about}
        if isinstance(event, flow.CalendarChanged):
            return events.CalendarChanged(side=event.side, zone=event.calendar.zone, moved=moved, **why)
        day = event.day.isoformat() if event.day else None
        if isinstance(event, flow.GoLiveSet):
            return events.GoLiveChosen(day=day, **why)
        return events.DateChosen(item=event.item, day=day, moved=moved, **why)

    def _task_completed(self, item: Item, now: ItemState) -> Event:
        evidence = msgspec.to_builtins(now.evidence) if now.evidence else None
        return events.TaskCompleted(task=item.key, answers=dict(now.answers), evidence=evidence, **self.about)

    def _milestone_completed(self, item: Item, now: ItemState) -> Event:
        evidence = msgspec.to_builtins(now.evidence) if now.evidence else None
        told: dict[str, Any] = {
            "milestone": item.key,
            "layer": item.layer or "",
            "owner": item.owner,
            "evidence": evidence,
        }
        return events.MilestoneCompleted(**told, **self.about)

    def _wrote_back(self, event: flow.ActionSucceeded | flow.ActionFailed | flow.ActionUnknown) -> Event:
        action = self.definition.items[event.task].action
        outcome = type(event).__name__.removeprefix("Action").lower()
        fields = dict(event.result) if isinstance(event, flow.ActionSucceeded) else {}
        reason = None if isinstance(event, flow.ActionSucceeded) else event.error
        told: dict[str, Any] = {"task": event.task, "connector": action.connector if action else "", "outcome": outcome}
        return events.SystemWroteBack(fields=fields, reason=reason, **told, **self.about)

    def _first_value(self, command: ReachFirstValue) -> Event:
        definition = self.definition.first_value.definition
        segment = self.decision.state.inputs.get("segment")
        return events.FirstValueReached(
            milestone=command.milestone,
            definition=definition.get("en") or next(iter(definition.values()), ""),
            proof=msgspec.to_builtins(command.evidence),
            segment=str(segment) if segment is not None else None,
            **self.about,
        )


def missing_fields(definition: Definition, packet: dict[str, Any]) -> list[str]:
    """Fields of the packet that are blank and not just informative, hard ones first (REQUIREMENTS 1.4)."""
    blank = [entry for entry in definition.handoff if entry.rule != "info" and packet.get(entry.field.id) in {None, ""}]
    return [entry.field.id for entry in sorted(blank, key=lambda entry: entry.rule != "hard")]
