"""A flow of twelve steps in a row, as a template: a gate, ten tasks of a person, and the proof of what they led to."""

from __future__ import annotations

import json
from typing import Any

from app.flow.definition import EXCEPTION_TYPES
from app.templates.language import read_template
from app.templates.overlay import Effective, apply_overlays

STEPS = 12
_TASKS = {"internal": range(3), "implementation": range(3, 7), "value": range(7, 10)}
_EFFECTS = ("pass", "proceed", "override", "return", "stop")
_DAY = {"business_days": 1}


def chain() -> Effective:
    """The template, ready to be pinned."""
    document = {
        "slipway": "1",
        "id": "twelve-in-a-row",
        "version": "1.0.0",
        "title": _say("Twelve in a row"),
        "audience": "msp",
        "default_locale": "en",
        "locales": ["en"],
        "roles": [{"id": "lead", "label": _say("Lead"), "side": "partner"}],
        "handoff": {"fields": [_fact()]},
        "stages": [_named("all", owner="lead", gates=[_gate()], milestones=[_milestone(layer) for layer in _TASKS])],
        "exceptions": [_route(kind) for kind in EXCEPTION_TYPES],
        "first_value": {"milestone": "value", "definition": _say("It is done."), "proof": _say("A note")},
    }
    return apply_overlays(read_template(json.dumps(document), "chain.yaml"), [])


def _gate() -> dict[str, Any]:
    buttons = [{"id": word, "label": _say(word), "effect": word} for word in _EFFECTS]
    shown: dict[str, Any] = {"shows": ["packet.outcome"], "records": ["packet"], "validations": [], "must_escalate": []}
    decided = {"decisions": buttons, "override_reason": _say("Why"), "logged": ["decision"]}
    return _named("quality", reviewer="lead", handoff=True, due=_DAY) | shown | decided


def _milestone(layer: str) -> dict[str, Any]:
    by_person = {"label": _say("What proves it"), "source": "person" if layer == "value" else "tasks"}
    tasks = [_task(number) for number in _TASKS[layer]]
    return _named(layer, layer=layer, owner="lead", due=_DAY, evidence=by_person, tasks=tasks)


def _task(number: int) -> dict[str, Any]:
    field = {"id": "said", "label": _say("What was done"), "type": "text", "required": True}
    before = f"task.step_{number - 1}" if number else "gate.quality"
    return _named(f"step_{number}", owner="lead", kind="form", fields=[field], depends_on=[before], due=_DAY)


def _fact() -> dict[str, Any]:
    return {
        "id": "outcome",
        "label": _say("Outcome"),
        "type": "text",
        "rule": "info",
        "source": "crm",
        "why": _say("?"),
    }


def _route(kind: str) -> dict[str, Any]:
    route = {"label": _say(kind), "route": ["lead"], "first_response": _say("Look at it.")}
    respond = {"respond_within": {"business_hours": 4}, "reason_codes": ["integration_failure"]}
    return {"id": kind} | route | respond


def _named(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "title": _say(name)} | more


def _say(words: str) -> dict[str, str]:
    return {"en": words}
