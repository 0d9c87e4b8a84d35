"""From an effective document (validated against the schema) to a compiled `Definition`. Criteria are type-checked here.

`templates.linting` uses the same reader and collects every refused criterion; running work takes none of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from cel_expr_python import cel

from app.flow.criteria import PART, REFERENCE, Criterion, CriterionRefused, Vocabulary, declare_fields
from app.flow.definition import (
    ActionCall,
    DecisionButton,
    Definition,
    Duration,
    Escalation,
    Evidence,
    ExceptionRoute,
    FirstValue,
    GateReview,
    HandoffField,
    Item,
    Refusal,
    Reminder,
    Role,
    Rung,
    Successor,
    Timer,
    Validation,
)
from app.flow.fields import Field, Text
from app.flow.parts.unfolding import fold

Path = tuple[str | int, ...]
Refused = list[tuple[Path, CriterionRefused]]
Document = Mapping[str, Any]  # the schema has checked it; values are plain JSON

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
APPROVAL_FIELDS = (
    Field(id="approved", label={"en": "Approved", "de": "Freigegeben"}, type="boolean", required=True),
    Field(id="comment", label={"en": "Comment", "de": "Kommentar"}, type="long_text"),
)


def read_definition(document: Document, digest: str, *, refused: Refused | None = None) -> Definition:
    """Compile a document. Raises CriterionRefused at the first criterion that does not type-check.

    Given a list as `refused`, it adds (path, refusal) there instead and reads on.
    """
    reader = _Reader(document, refused)
    reader.read_items()
    fields = reader.named_fields()
    items, repeats = fold(reader.items, reader.repeats)
    return Definition(
        id=document["id"],
        version=document["version"],
        digest=digest,
        title=reader.text(document["title"]),
        locales=tuple(document["locales"]),
        roles={
            role["id"]: Role(id=role["id"], label=reader.text(role["label"]), side=role["side"])
            for role in document["roles"]
        },
        inputs=reader.inputs,
        handoff=reader.handoff,
        items=items,
        timers={timer["id"]: reader.timer(timer) for timer in document.get("timers", ())},
        exceptions={route["id"]: reader.route(route) for route in document["exceptions"]},
        first_value=reader.first_value(document["first_value"]),
        fields=fields,
        texts=reader.texts,
        lifecycle=document.get("lifecycle", "onboarding"),
        then=tuple(reader.successor(each, ("then", index)) for index, each in enumerate(document.get("then", ()))),
        repeats={repeat.key: repeat for repeat in repeats},
    )


def declared_names(document: Document) -> dict[str, cel.Type]:
    """Every name a criterion of this document may use, with its type."""
    names = declare_fields("inputs", _fields(document.get("inputs", ()), lambda text: text))
    names[REFERENCE] = cel.Type.STRING
    names |= declare_fields("packet", _fields(document["handoff"]["fields"], lambda text: text))
    for stage in document["stages"]:
        names |= _declared_states("stage", stage["id"], "done")
        for gate in stage.get("gates", ()):
            names |= _declared_states("gate", gate["id"], "passed")
        for milestone in stage["milestones"]:
            names |= _declared_states("milestone", milestone["id"], "done")
            for task in milestone["tasks"]:
                names |= _declared_by_task(task)
            if "repeat" in milestone or any("repeat" in task for task in milestone["tasks"]):
                names[PART] = cel.Type.STRING
    return names


def _declared_states(kind: str, name: str, finished: str) -> dict[str, cel.Type]:
    return dict.fromkeys((f"{kind}.{name}.{word}" for word in (finished, "skipped", "settled")), cel.Type.BOOL)


def _declared_by_task(task: Document) -> dict[str, cel.Type]:
    names = _declared_states("task", task["id"], "done")
    names |= declare_fields(f"answers.{task['id']}", _task_fields(task, lambda text: text))
    outputs = task.get("action", {}).get("outputs", ())
    return names | declare_fields(f"results.{task['id']}", _fields(outputs, lambda text: text))


class _Reader:
    """Walks one document; knows its texts and its vocabulary."""

    def __init__(self, document: Document, refused: Refused | None) -> None:
        self.document, self.refused = document, refused
        self.default = document["default_locale"]
        self.texts: dict[str, Text] = {key: dict(text) for key, text in document.get("texts", {}).items()}
        self.vocabulary = Vocabulary(declared_names(document))
        self.sides = {role["id"]: role["side"] for role in document["roles"]}
        self.inputs = _fields(document.get("inputs", ()), self.text)
        self.handoff = tuple(self._handoff_field(entry) for entry in document["handoff"]["fields"])
        self.items: dict[str, Item] = {}
        self.repeats: dict[str, tuple[str | None, int | None]] = {}

    def named_fields(self) -> dict[str, Field]:
        """Every typed field by the name that criteria use."""
        named = {f"inputs.{field.id}": field for field in self.inputs}
        named |= {f"packet.{each.field.id}": each.field for each in self.handoff}
        for item in self.items.values():
            named |= {f"answers.{item.id}.{field.id}": field for field in item.fields}
            named |= {f"results.{item.id}.{field.id}": field for field in (item.action.outputs if item.action else ())}
        return named

    def text(self, value: Mapping[str, str]) -> Text:
        """A localised text with its placeholders (`{provider}`) filled from the brandable texts."""

        def fill(language: str, sentence: str) -> str:
            def replacement(match: re.Match[str]) -> str:
                found = self.texts.get(match.group(1), {})
                return found.get(language) or found.get(self.default) or match.group()

            return _PLACEHOLDER.sub(replacement, sentence)

        return {language: fill(language, sentence) for language, sentence in value.items()}

    def condition(self, source: str | None, path: Path) -> Criterion | None:
        """A compiled condition, or None where none is written."""
        return None if source is None else self._compiled(source, path, mapping=False)

    def _compiled(self, source: str, path: Path, *, mapping: bool) -> Criterion:
        place = path_text(self.document, path)
        try:
            return self.vocabulary.mapping(source, place) if mapping else self.vocabulary.condition(source, place)
        except CriterionRefused as trouble:
            if self.refused is None:
                raise
            self.refused.append((path, trouble))
            return self.vocabulary.condition("true", place)

    def read_items(self) -> None:
        """Fill `items` in the tree's order: each stage, its gates, its milestones, their tasks."""
        before: str | None = None
        for number, stage in enumerate(self.document["stages"]):
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
                due=_duration(stage.get("slo")),
            )
            for index, gate in enumerate(stage.get("gates", ())):
                self._add_gate(gate, key, (*path, "gates", index))
            for index, milestone in enumerate(stage["milestones"]):
                self._add_milestone(milestone, key, (*path, "milestones", index))
            before = stage["id"]

    def _add_milestone(self, milestone: Document, parent: str, path: Path) -> None:
        key = f"milestone.{milestone['id']}"
        evidence = milestone["evidence"]
        proof = Evidence(label=self.text(evidence["label"]), source=evidence["source"])
        children = tuple(f"task.{task['id']}" for task in milestone["tasks"])
        self._add(milestone, key, parent, path, layer=milestone["layer"], evidence=proof, children=children)
        for index, task in enumerate(milestone["tasks"]):
            self._add_task(task, key, (*path, "tasks", index))

    def _add_task(self, task: Document, parent: str, path: Path) -> None:
        evidence = task.get("evidence")
        proof = Evidence(label=self.text(evidence["label"]), source="person") if evidence else None
        refusal = task.get("on_refusal")
        action = task.get("action")
        self._add(
            task,
            f"task.{task['id']}",
            parent,
            path,
            task_kind=task["kind"],
            evidence=proof,
            fields=_task_fields(task, self.text),
            on_refusal=Refusal(**refusal) if refusal else None,
            action=self._action(action, (*path, "action")) if action else None,
        )

    def _add_gate(self, gate: Document, parent: str, path: Path) -> None:
        review = GateReview(
            shows=tuple(gate["shows"]),
            records=tuple(gate["records"]),
            draft=self.text(gate["draft"]) if gate.get("draft") else None,
            validations=self._validations(gate["validations"], (*path, "validations")),
            decisions=tuple(self._button(each) for each in gate["decisions"]),
            must_escalate=self._escalations(gate["must_escalate"], (*path, "must_escalate")),
            override_reason=self.text(gate["override_reason"]),
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
                label=self.text(entry["label"]),
                criterion=self._compiled(entry["check"], (*path, index, "check"), mapping=False),
            )
            for index, entry in enumerate(entries)
        )

    def _escalations(self, entries: Any, path: Path) -> tuple[Escalation, ...]:
        return tuple(
            Escalation(
                id=entry["id"],
                label=self.text(entry["label"]),
                role=entry["role"],
                criterion=self._compiled(entry["when"], (*path, index, "when"), mapping=False),
            )
            for index, entry in enumerate(entries)
        )

    def _button(self, button: Document) -> DecisionButton:
        effect = button["effect"]
        needed = button.get("reason_required", False) or effect != "pass"
        return DecisionButton(id=button["id"], label=self.text(button["label"]), effect=effect, reason_required=needed)

    def _action(self, action: Document, path: Path) -> ActionCall:
        return ActionCall(
            connector=action["connector"],
            action=action["action"],
            inputs={
                name: self._compiled(source, (*path, "input", name), mapping=True)
                for name, source in action["input"].items()
            },
            outputs=_fields(action.get("outputs", ()), self.text),
        )

    def _add(self, source: Document, key: str, parent: str | None, path: Path, **more: Any) -> None:
        """Put one item into the tree. `more` are its kind's own attributes, typed by `Item`."""
        kind, _, name = key.partition(".")
        shared = {
            "depends_on": tuple(source.get("depends_on", ())),
            "due": _duration(source.get("due")),
            "remind": msgspec.convert(source["remind"], tuple[Reminder, ...]) if "remind" in source else None,
            "when": self.condition(source.get("when"), (*path, "when")),
            "entry": self.condition(source.get("entry"), (*path, "entry")),
            "exit": self.condition(source.get("exit"), (*path, "exit")),
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
            title=self.text(source["title"]),
            help=self.text(source.get("help", {})),
            owner=owner,
            side=source.get("side", self.sides.get(owner, "partner")),
            **(shared | more),
        )

    def _handoff_field(self, entry: Document) -> HandoffField:
        return HandoffField(
            field=_fields((entry,), self.text)[0],
            rule=entry["rule"],
            source=entry["source"],
            why=self.text(entry["why"]),
            exception=entry.get("exception"),
            reason_code=entry.get("reason_code"),
        )

    def timer(self, timer: Document) -> Timer:
        """An SLA with its ladder."""
        rungs = tuple(
            Rung(
                after=_duration(rung["after"]) or Duration(business_days=1),
                role=rung["role"],
                message=self.text(rung["message"]),
                exception=rung.get("exception"),
                reason_code=rung.get("reason_code"),
            )
            for rung in timer["ladder"]
        )
        pauses = tuple(timer["pauses"]) if "pauses" in timer else None
        starts = timer.get("starts", "opened")
        return Timer(id=timer["id"], item=timer["item"], starts=starts, ladder=rungs, pauses=pauses)

    def route(self, route: Document) -> ExceptionRoute:
        """Where a typed exception goes."""
        return ExceptionRoute(
            id=route["id"],
            label=self.text(route["label"]),
            route=tuple(route["route"]),
            first_response=self.text(route["first_response"]),
            respond_within=_duration(route["respond_within"]) or Duration(business_days=1),
            reason_codes=tuple(route["reason_codes"]),
            escalate=tuple(route.get("escalate", ())),
        )

    def successor(self, link: Document, path: Path) -> Successor:
        """What follows."""
        return Successor(
            lifecycle=link["lifecycle"],
            template=link["template"],
            after=_duration(link.get("after")),
            when=self.condition(link.get("when"), (*path, "when")),
        )

    def first_value(self, value: Document) -> FirstValue:
        """What counts as first value."""
        return FirstValue(
            milestone=f"milestone.{value['milestone']}",
            definition=self.text(value["definition"]),
            proof=self.text(value["proof"]),
        )


def path_text(document: Document, path: Path) -> str:
    """A path as people read it: list elements by their id (`stages.kickoff.milestones.held.exit`)."""
    words: list[str] = []
    node: Any = document
    for step in path:
        node = below(node, step)
        words.append(str(node.get("id", step)) if isinstance(step, int) and isinstance(node, Mapping) else str(step))
    return ".".join(words)


def below(node: Any, step: str | int) -> Any:
    """One step down a document; an empty mapping where nothing is written."""
    if isinstance(node, list) and isinstance(step, int):
        return node[step]
    return node.get(step, {}) if isinstance(node, Mapping) else {}


def _fields(entries: Any, text: Any) -> tuple[Field, ...]:
    """Typed fields from their documents; `text` localises a label."""
    return tuple(
        msgspec.convert(
            {
                **{name: entry[name] for name in entry.keys() & _PLAIN_FIELD_KEYS},
                "label": text(entry["label"]),
                "help": text(entry.get("help", {})),
                "options": [{"id": each["id"], "label": text(each["label"])} for each in entry.get("options", ())],
            },
            Field,
        )
        for entry in entries
    )


_PLAIN_FIELD_KEYS = frozenset({"id", "type", "required", "minimum", "maximum", "default", "personal"})


def _task_fields(task: Document, text: Any) -> tuple[Field, ...]:
    fields = _fields(task.get("fields", ()), text)
    if task["kind"] != "approval":
        return fields
    own = {field.id for field in fields}
    return fields + tuple(field for field in APPROVAL_FIELDS if field.id not in own)


def _duration(value: Document | None) -> Duration | None:
    return None if value is None else Duration(**value)
