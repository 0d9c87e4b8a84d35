"""The tree of a document: its stages, their gates and milestones, and their tasks, as items in their order."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from app.flow.definition import (
    ActionCall,
    DecisionButton,
    Escalation,
    Evidence,
    GateReview,
    Item,
    Refusal,
    Reminder,
    Validation,
)
from app.flow.fields import Field
from app.flow.kinds.credentials import given_fields
from app.flow.reading.kinds import read_handover, read_signing
from app.flow.reading.plain import Document, Path, duration, read_fields, read_slots, with_implicit
from app.flow.reading.reader import Reader


class Tree:
    """The items of one document. `repeats`: of repeated parts, what each follows and how many people may make."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.say = reader, reader.say
        self.items: dict[str, Item] = {}
        self.repeats: dict[str, tuple[str | None, int | None]] = {}

    def read(self) -> None:
        """Fill `items` in the tree's order: each stage, its gates, its milestones, their tasks."""
        before: str | None = None
        for number, stage in enumerate(self.reader.document["stages"]):
            path: Path = ("stages", number)
            key = f"stage.{stage['id']}"
            after = stage.get("after", [before] if before else [])
            gates = tuple(f"gate.{gate['id']}" for gate in stage.get("gates", ()))
            milestones = tuple(f"milestone.{milestone['id']}" for milestone in stage["milestones"])
            self._add(
                stage,
                key,
                None,
                path,
                depends_on=tuple(f"stage.{name}" for name in after),
                children=gates + milestones,
                phase=stage.get("phase"),
                due=duration(stage.get("slo")),
            )
            for index, gate in enumerate(stage.get("gates", ())):
                self._add_gate(gate, key, (*path, "gates", index))
            for index, milestone in enumerate(stage["milestones"]):
                self._add_milestone(milestone, key, (*path, "milestones", index))
            before = stage["id"]

    def _add_milestone(self, milestone: Document, parent: str, path: Path) -> None:
        key = f"milestone.{milestone['id']}"
        evidence = milestone["evidence"]
        proof = Evidence(label=self.say(evidence["label"]), source=evidence["source"])
        children = tuple(f"task.{task['id']}" for task in milestone["tasks"])
        self._add(milestone, key, parent, path, layer=milestone["layer"], evidence=proof, children=children)
        for index, task in enumerate(milestone["tasks"]):
            self._add_task(task, key, (*path, "tasks", index))

    def _add_task(self, task: Document, parent: str, path: Path) -> None:
        evidence = task.get("evidence")
        proof = Evidence(label=self.say(evidence["label"]), source="person") if evidence else None
        refusal, slots = task.get("on_refusal"), read_slots(task, self.say)
        action = task.get("action")
        handover = read_handover(self.reader, task, path)
        asked = self._questions(task.get("fields", ()), (*path, "fields"))
        self._add(
            task,
            f"task.{task['id']}",
            parent,
            path,
            task_kind=task["kind"],
            evidence=proof,
            fields=slots + (given_fields(handover) if handover else with_implicit(task, asked)),
            on_refusal=Refusal(**refusal) if refusal else None,
            action=self._action(action, (*path, "action")) if action else None,
            sends=task.get("sends"),
            handover=handover,
            signing=read_signing(self.reader, task),
        )

    def _questions(self, entries: Any, path: Path) -> tuple[Field, ...]:
        """The fields of a form, each with the condition under which it is asked."""
        return tuple(
            replace(field, when=self.reader.condition(entry["when"], (*path, index, "when")))
            if "when" in entry
            else field
            for index, (entry, field) in enumerate(zip(entries, read_fields(entries, self.say), strict=True))
        )

    def _add_gate(self, gate: Document, parent: str, path: Path) -> None:
        review = GateReview(
            shows=tuple(gate["shows"]),
            records=tuple(gate["records"]),
            draft=self.say(gate["draft"]) if gate.get("draft") else None,
            validations=self._validations(gate["validations"], (*path, "validations")),
            decisions=tuple(self._button(each) for each in gate["decisions"]),
            must_escalate=self._escalations(gate["must_escalate"], (*path, "must_escalate")),
            override_reason=self.say(gate["override_reason"]),
            logged=tuple(gate["logged"]),
            reviewer=gate["reviewer"],
            handoff=gate.get("handoff", False),
            return_to=gate.get("return_to"),
        )
        self._add({**gate, "owner": gate["reviewer"]}, f"gate.{gate['id']}", parent, path, review=review)

    def _validations(self, entries: Any, path: Path) -> tuple[Validation, ...]:
        return tuple(
            Validation(
                id=entry["id"],
                label=self.say(entry["label"]),
                criterion=self.reader.compiled(entry["check"], (*path, index, "check")),
            )
            for index, entry in enumerate(entries)
        )

    def _escalations(self, entries: Any, path: Path) -> tuple[Escalation, ...]:
        return tuple(
            Escalation(
                id=entry["id"],
                label=self.say(entry["label"]),
                role=entry["role"],
                criterion=self.reader.compiled(entry["when"], (*path, index, "when")),
            )
            for index, entry in enumerate(entries)
        )

    def _button(self, button: Document) -> DecisionButton:
        effect = button["effect"]
        needed = button.get("reason_required", False) or effect != "pass"
        return DecisionButton(id=button["id"], label=self.say(button["label"]), effect=effect, reason_required=needed)

    def _action(self, action: Document, path: Path) -> ActionCall:
        return ActionCall(
            connector=action["connector"],
            action=action["action"],
            inputs={
                name: self.reader.compiled(source, (*path, "input", name), mapping=True)
                for name, source in action["input"].items()
            },
            outputs=read_fields(action.get("outputs", ()), self.say),
        )

    def _add(self, source: Document, key: str, parent: str | None, path: Path, **more: Any) -> None:
        """Put one item into the tree. `more` are its kind's own attributes, typed by `Item`."""
        kind, _, name = key.partition(".")
        entry, entry_compliance = self.reader.criteria(source.get("entry"), (*path, "entry"))
        leave, exit_compliance = self.reader.criteria(source.get("exit"), (*path, "exit"))
        shared = {
            "depends_on": tuple(source.get("depends_on", ())),
            "due": duration(source.get("due")),
            "remind": msgspec.convert(source["remind"], tuple[Reminder, ...]) if "remind" in source else None,
            "when": self.reader.condition(source.get("when"), (*path, "when")),
            "entry": entry,
            "entry_compliance": entry_compliance,
            "exit": leave,
            "exit_compliance": exit_compliance,
            "optional": source.get("optional", False),
            "join": source.get("join", "all"),
        }
        owner = source["owner"]
        if repeat := source.get("repeat"):
            self.repeats[key] = (repeat.get("for_each"), repeat.get("at_most"))
        self.items[key] = Item(
            key=key,
            kind=kind,  # type: ignore[arg-type]  # the four callers write one of the four kinds
            id=name,
            parent=parent,
            position=len(self.items),
            title=self.say(source["title"]),
            help=self.say(source.get("help", {})),
            owner=owner,
            side=source.get("side", self.reader.sides.get(owner, "partner")),
            **(shared | more),
        )
