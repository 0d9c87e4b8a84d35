"""A flow of twelve steps in a row, as a template: a gate, ten tasks of a person, and the proof of what they led to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from app.flow.definition import EXCEPTION_TYPES
from app.templates.language import read_template
from app.templates.overlay import Effective, apply_overlays

STEPS = 12
_TASKS = {"internal": range(3), "implementation": range(3, 7), "value": range(7, 10)}
_CALLS = _TASKS | {"value": range(7, STEPS)}
_EFFECTS = ("pass", "proceed", "override", "return", "stop")
_DAY = {"business_days": 1}


def chain() -> Effective:
    """A gate, ten tasks of a person, a proof: the template, ready to be pinned."""
    return _template("twelve-in-a-row", [_milestone(layer, _TASKS[layer], _task) for layer in _TASKS])


def chain_of_calls() -> Effective:
    """Twelve actions in a row behind a gate; what proves the end is nobody's business here."""
    return _template("twelve-calls-in-a-row", [_milestone(layer, _CALLS[layer], _call) for layer in _CALLS])


def _template(name: str, milestones: list[dict[str, Any]]) -> Effective:
    document = {
        "slipway": "1",
        "id": name,
        "version": "1.0.0",
        "title": _say("Twelve in a row"),
        "audience": "msp",
        "default_locale": "en",
        "locales": ["en"],
        "roles": [{"id": each, "label": _say("Lead"), "side": "partner"} for each in ("lead", "onboarding_lead")],
        "handoff": {"fields": [_fact()]},
        "stages": [_named("all", owner="lead", gates=[_gate()], milestones=milestones)],
        "exceptions": [_route(kind) for kind in EXCEPTION_TYPES],
        "first_value": {"milestone": "value", "definition": _say("It is done."), "proof": _say("A note")},
    }
    return apply_overlays(read_template(json.dumps(document), "chain.yaml"), [])


def _gate() -> dict[str, Any]:
    buttons = [{"id": word, "label": _say(word), "effect": word} for word in _EFFECTS]
    shown: dict[str, Any] = {"shows": ["packet.outcome"], "records": ["packet"], "validations": [], "must_escalate": []}
    decided = {"decisions": buttons, "override_reason": _say("Why"), "logged": ["decision"]}
    return _named("quality", reviewer="lead", handoff=True, due=_DAY) | shown | decided


def _milestone(layer: str, numbers: range, make: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    tasks = [make(number) for number in numbers]
    evidence = _proof("person" if layer == "value" else "tasks")
    return _named(layer, layer=layer, owner="lead", due=_DAY, evidence=evidence, tasks=tasks)


def _proof(source: str) -> dict[str, Any]:
    return {"label": _say("What proves it"), "source": source}


def _call(number: int) -> dict[str, Any]:
    given = {"external_id": f'onboarding.reference + "-{number}"', "name": '"Step"', "plan": '"team"'}
    action = {"connector": "product_admin", "action": "create_workspace", "input": given, "outputs": []}
    before = f"task.call_{number - 1}" if number else "gate.quality"
    return _named(f"call_{number}", owner="lead", kind="action", depends_on=[before], action=action)


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
