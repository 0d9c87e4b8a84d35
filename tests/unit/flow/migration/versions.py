"""Other versions of the managed-services template, made by changing its document. Not a test."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

from app.flow.commands import Decision
from app.flow.decide import Recorded, decide_by
from app.flow.definition import Definition
from app.flow.events import By, Migrated, MigrationMap
from app.flow.migration.migrate import Preview, preview
from app.flow.reading import read_definition
from app.templates.language import address
from app.templates.library import open_shelf
from tests.unit.flow.running import STAFF, Run

Document = dict[str, Any]
OTHER = By(actor="person:noor", roles=STAFF.roles)

RENAMED = MigrationMap(items={"task.kickoff": "task.first_meeting"})

BILLING: dict[str, Any] = {
    "type": "billing_mismatch",
    "reason_code": "waiting_billing_info",
    "note": "The entity differs.",
}


def version(change: Callable[[Document], object], number: str = "2.0.0") -> Definition:
    """The template after a change of its document."""
    document = written(change, number)
    return read_definition(document, address(document))


def written(change: Callable[[Document], object], number: str = "2.0.0") -> Document:
    """The template's document after a change."""
    document = copy.deepcopy(_document())
    document["version"] = number
    change(document)
    return document


@cache
def _document() -> Document:
    return dict(open_shelf("msp/managed-services").template.document)


def found(document: Document, key: str) -> Document:
    """The part of a document that an item is made of."""
    kind, _, name = key.partition(".")
    return next(each for each in listed(document, kind) if each["id"] == name)


def listed(document: Document, kind: str) -> list[Document]:
    """All parts of a kind."""
    stages: list[Document] = document["stages"]
    milestones = [each for stage in stages for each in stage["milestones"]]
    kinds = {"stage": stages, "milestone": milestones}
    kinds["gate"] = [each for stage in stages for each in stage.get("gates", ())]
    kinds["task"] = [each for milestone in milestones for each in milestone["tasks"]]
    return kinds[kind]


def task(name: str, **more: Any) -> Document:
    """A step of the partner's lead."""
    return {"id": name, "kind": "message", "title": said(name), "owner": "onboarding_lead"} | more


def said(text: str) -> dict[str, str]:
    """A text in the template's languages."""
    return {"en": text, "de": text, "ar": text}


def milestone(name: str, *tasks: Document, **more: Any) -> Document:
    """A milestone of these steps."""
    evidence = {"label": said("Done"), "source": "tasks"}
    about = {"id": name, "title": said(name), "owner": "onboarding_lead", "layer": "internal", "evidence": evidence}
    return about | {"tasks": list(tasks)} | more


def stage(name: str, *milestones: Document, **more: Any) -> Document:
    """A stage of these milestones."""
    about = {"id": name, "title": said(name), "owner": "onboarding_lead", "milestones": list(milestones)}
    return about | more


def rename_kickoff(document: Document) -> None:
    """The kickoff has another key."""
    found(document, "task.kickoff")["id"] = "first_meeting"
    found(document, "task.confirm_goals")["depends_on"] = ["task.first_meeting"]


def drop_kickoff(document: Document) -> None:
    """There is no kickoff any more."""
    tasks = found(document, "milestone.kickoff_complete")["tasks"]
    del tasks[0]
    del tasks[0]["depends_on"]


def add_stage_before_rollout(document: Document) -> None:
    """A stage between preparation and rollout."""
    document["stages"].insert(2, stage("pilot", milestone("pilot_done", task("pilot"))))


def add_stage_first(document: Document) -> None:
    """A stage before all others."""
    document["stages"].insert(0, stage("welcome", milestone("welcomed", task("welcome"))))


def wish(run: Run, to: Definition, wanted: MigrationMap | None = None) -> Migrated:
    """The event that goes on with that version."""
    about = {"before": run.state.definition, "definition": to.digest, "version": to.version}
    return Migrated(
        by=STAFF, reason="The new version is better.", map=wanted or MigrationMap(), keeps_dates=True, **about
    )


def look(run: Run, to: Definition, wanted: MigrationMap | None = None) -> Preview:
    """The dry run."""
    return preview(run.definition, to, run.state, wish(run, to, wanted), run.now)


def go_on(run: Run, to: Definition, wanted: MigrationMap | None = None) -> Decision:
    """Migrate; from here on the run goes by that version."""
    event = wish(run, to, wanted)
    known = {run.definition.digest: run.definition, to.digest: to}
    decision = decide_by(known.__getitem__, run.state, event, run.now)
    run.history.append(Recorded(at=run.now, event=event))
    run.definition, run.state = to, decision.state
    return decision
