"""A small template to put parts into: one stage for the handoff, one to work in, one for the value. Not a test."""

from __future__ import annotations

from textwrap import indent

from app.flow import events
from app.flow.definition import Definition
from app.flow.events import By
from app.flow.fields import Value
from app.flow.parts.unfolding import unfold
from app.templates.language import Template, read_template
from app.templates.rules import Problem, TemplateRefused
from tests.unit.flow.running import CUSTOMER, PROOF, STAFF, Run

FILE = "small.yaml"
BOSS = By(actor="person:mara", roles=("lead", "cs_leader"))


def task(name: str, more: str = "", *, kind: str = "meeting", owner: str = "lead") -> str:
    """A task, as YAML."""
    return f"{{id: {name}, kind: {kind}, title: {{en: {name.title()}}}, owner: {owner}, {more}}}".replace(", }", "}")


def milestone(name: str, *tasks: str, more: str = "") -> str:
    """A milestone with its tasks, as YAML."""
    below = ",\n    ".join(tasks)
    head = f"id: {name}, layer: implementation, title: {{en: {name.title()}}}, owner: lead, {more}"
    return f"- {{{head.rstrip(', ')},\n   evidence: {{label: {{en: Done}}, source: tasks}}, tasks: [\n    {below}]}}\n"


BUILD = task("build", "due: {business_days: 2}")
NEEDED = milestone("base", BUILD)
_HEAD = """
slipway: "1"
id: small
version: 1.0.0
title: {en: Small}
audience: msp
default_locale: en
locales: [en]
roles:
  - {id: onboarding_lead, label: {en: First lead}, side: partner}
  - {id: lead, label: {en: Lead}, side: partner}
  - {id: cs_leader, label: {en: Leader}, side: partner}
  - {id: customer_owner, label: {en: Owner}, side: customer}
  - {id: client, label: {en: Client}, side: customer, fallback: customer_owner}
inputs:
  - {id: seats, label: {en: Seats}, type: integer, default: 10}
INPUTS
handoff: {fields: [{id: outcome, label: {en: Outcome}, type: text, rule: info, source: sales, why: {en: Why}}]}
exceptions:
EXCEPTIONS
first_value: {milestone: value, definition: {en: Used}, proof: {en: Proof}}
TIMERS
stages:
  - id: handoff
    title: {en: Handoff}
    owner: lead
    gates:
      - id: ready
        title: {en: Ready}
        reviewer: lead
        handoff: true
        shows: [packet.outcome]
        records: [packet]
        validations: []
        decisions:
          - {id: accept, label: {en: Accept}, effect: pass}
          - {id: anyway, label: {en: Proceed}, effect: proceed}
          - {id: force, label: {en: Override}, effect: override}
          - {id: back, label: {en: Return}, effect: return}
        must_escalate: []
        override_reason: {en: Why}
        logged: [reviewer, decision]
    milestones:
      - {id: told, layer: internal, title: {en: T}, owner: lead, tasks: [], evidence: {label: {en: X}, source: tasks}}
  - id: work
    title: {en: Work}
    owner: lead
STAGE
    milestones:
MILESTONES
  - id: live
    title: {en: Live}
    owner: lead
    milestones:
      - {id: value, layer: value, title: {en: V}, owner: lead, tasks: [], evidence: {label: {en: X}, source: person}}
"""
_KINDS = (
    "missing_outcome nonstandard_promise billing_mismatch technical_blocker no_customer_owner timeline_risk product_gap"
)


def small_text(milestones: str, *, stage: str = "", inputs: str = "", timers: str = "", sections: str = "") -> str:
    """The text of the template with these milestones in its stage of work; `sections` are further ones, whole."""
    routes = "\n".join(
        f"  - {{id: {kind}, label: {{en: {kind}}}, route: [lead], first_response: {{en: Look}}, "
        f"respond_within: {{business_days: 1}}, reason_codes: [scope_mismatch]}}"
        for kind in _KINDS.split()
    )
    text = _HEAD.replace("EXCEPTIONS", routes).replace("INPUTS\n", indent(inputs.strip("\n"), "  ") + "\n")
    text = text.replace("STAGE\n", indent(stage.strip("\n"), "    ") + "\n")
    text = text.replace("TIMERS\n", f"timers:\n{indent(timers.strip(), '  ')}\n" if timers else "")
    return f"{sections.strip()}\n" + text.replace("MILESTONES\n", indent(milestones.strip("\n"), "      ") + "\n")


def small(milestones: str, **more: str) -> Template:
    """The checked template."""
    return read_template(small_text(milestones, **more), FILE)


def refused(milestones: str, **more: str) -> list[Problem]:
    """What the lint says against it."""
    try:
        small(milestones, **more)
    except TemplateRefused as trouble:
        return trouble.problems
    return []


class SmallRun(Run):
    """One onboarding of it, its handoff accepted: the stage of work is open."""

    def __init__(self, definition: Definition, **inputs: Value) -> None:
        self.inputs = inputs
        super().__init__({"outcome": "Calm"}, definition)
        self.apply(events.GateDecided(by=BOSS, gate="gate.ready", decision="accept"))

    def apply(self, event: events.Event):
        """With its own inputs at the start."""
        if isinstance(event, events.Started):
            kept = {name: getattr(event, name) for name in event.__struct_fields__}
            event = events.Started(**(kept | {"inputs": self.inputs}))
        return super().apply(event)

    def complete(self, task: str, **answers: Value):
        """By whom it belongs to; one of several too."""
        side = unfold(self.definition, self.state.parts).items[task].side
        by = CUSTOMER if side == "customer" else STAFF
        return self.apply(events.TaskCompleted(by=by, task=task, answers=answers, evidence=PROOF))

    def decline(self, item: str, *, by: By = STAFF, reason: str = "They have one."):
        """Say that it is not needed."""
        return self.apply(events.ItemDeclined(by=by, item=item, reason=reason))

    def prove_value(self):
        """The last thing of all."""
        return self.apply(events.MilestoneProven(by=BOSS, milestone="milestone.value", evidence=PROOF))
