"""How an onboarding goes when it goes well: from any definition and state to what somebody does next. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from app.demo.world.shapes import DemoPartner, Sale
from app.flow.communications.text import in_language
from app.flow.criteria import Readable
from app.flow.definition import Definition, Item
from app.flow.fields import Field, Value
from app.flow.questions import asked_of
from app.flow.state import State
from app.flow.steps.facts import Facts
from app.flow.steps.gates import view_gate

Verb = Literal["complete", "decide", "prove"]
# Left to whoever opens the demo: nobody has handed a file or an access over, or signed, in somebody else's name.
_BY_HAND = frozenset({"file", "credential", "signature"})
_TYPED = frozenset({"boolean", "select", "choices", "integer", "decimal"})  # what a sample answers in any language


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What somebody does to one item. `by` is the mail address of a colleague, or of the customer's contact."""

    verb: Verb
    key: str
    by: str
    is_customer: bool = False
    answers: dict[str, Value] = field(default_factory=dict)
    decision: str = ""
    statement: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """Whose onboarding it is, the day that people write into date fields, and what the template's sample answers."""

    partner: DemoPartner
    sale: Sale
    today: date
    sample: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def next_deeds(scene: Scene, definition: Definition, state: State) -> Iterator[Deed]:
    """What can be done now, in the plan's order, except for what this sale stalls at."""
    for key, item in definition.items.items():
        if state.items[key].state != "open" or key in scene.sale.stalls:
            continue
        if item.kind == "gate" and (deed := _decision(scene, definition, state, item)):
            yield deed
        elif item.kind == "task" and item.action is None and item.task_kind not in _BY_HAND:
            yield _completion(scene, definition, state, item)
        elif _is_ready_for_proof(item, state):
            yield Deed(verb="prove", key=key, by=_by(scene, item), statement=_proof(scene, item))


def answer(scene: Scene, wanted: Field, task: str = "") -> Value:
    """What is typed into a field: the sale's own answer, the partner's usual one, the sample's, or one that fits."""
    for known in (scene.sale.answers, scene.partner.answers):
        if wanted.id in known and _is_of(wanted, known[wanted.id]):
            return known[wanted.id]
    if wanted.type in _TYPED and wanted.id in scene.sample.get(task, {}):
        known_to_sample: Value = scene.sample[task][wanted.id]
        return known_to_sample
    if wanted.type == "integer":
        return min(max(scene.sale.seats, wanted.minimum or 0), wanted.maximum or scene.sale.seats)
    fitting: dict[str, Value] = {
        "boolean": wanted.required,
        "date": scene.today.isoformat(),
        "email": scene.sale.contact.email,
        "url": "https://wiki.example",
        "phone": "+49 30 123456",
        "decimal": f"{wanted.minimum or 0}.00",
        "select": wanted.options[0].id if wanted.options else None,
        "choices": wanted.options[0].id if wanted.options else None,
    }
    return fitting.get(wanted.type, scene.partner.noted if wanted.required else None)


def _is_of(wanted: Field, value: Value) -> bool:
    """Whether it can be typed there: two templates ask for different things under one name."""
    kinds: dict[str, type] = {"integer": int, "boolean": bool}
    return type(value) is kinds.get(wanted.type, str)


def answers_of(scene: Scene, item: Item, facts: Readable) -> dict[str, Value]:
    """What is typed into a form, in the order in which its questions open."""
    typed: dict[str, Value] = {}
    while more := [each for each in asked_of(item, typed, facts) if each.id not in typed]:
        typed |= {each.id: answer(scene, each, item.key) for each in more}
    return {name: value for name, value in typed.items() if value is not None}


def _decision(scene: Scene, definition: Definition, state: State, item: Item) -> Deed | None:
    """The button that opens the gate, as long as nothing blocks; under one's name where only soft facts are missing."""
    view = view_gate(definition, state, item.key)
    if item.review is None or view.missing_hard or view.failed_checks:
        return None
    effect = "proceed" if view.missing_soft else "pass"
    button = next((each for each in item.review.decisions if each.effect == effect), None)
    if button is None:
        return None
    above = [each.role for each in item.review.must_escalate if each.id in view.escalations]
    by = scene.partner.player((above or [item.review.reviewer])[0]).email
    reason = "Discussed with sales; the rest follows before the kickoff." if effect == "proceed" else ""
    return Deed(verb="decide", key=item.key, by=by, decision=button.id, statement=reason)


def _completion(scene: Scene, definition: Definition, state: State, item: Item) -> Deed:
    """What is filled in, by whoever has the task; a message in the template's own words, by who may send it."""
    said = definition.communications.get(item.sends or "")
    language = scene.sale.contact.language
    answers: dict[str, Value] = {}
    if said is not None:
        answers = {"subject": in_language(said.subject, language), "body": in_language(said.body, language)}
    elif item.fields:
        answers = answers_of(scene, item, Facts(definition, state).of(item))
    return Deed(
        verb="complete",
        key=item.key,
        by=_by(scene, item, state.acts(item)),
        is_customer=item.side == "customer",
        answers=answers,
        statement=_proof(scene, item) if item.evidence else "",
    )


def _is_ready_for_proof(item: Item, state: State) -> bool:
    if item.kind != "milestone" or item.evidence is None or item.evidence.source != "person":
        return False
    return all(state.is_settled(child) for child in item.children)


def _by(scene: Scene, item: Item, role: str = "") -> str:
    return scene.sale.contact.email if item.side == "customer" else scene.partner.player(role or item.owner).email


def _proof(scene: Scene, item: Item) -> str:
    return scene.partner.proofs.get(item.key, scene.partner.noted)
