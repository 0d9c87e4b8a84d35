"""A gate as its reviewer sees it: the packet with its sources, what stands in the way, what each decision will do."""

from __future__ import annotations

from typing import Any

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.roles import CUSTOMER_ROLES
from app.flow.definition import DecisionButton, GateReview, HandoffField, Item
from app.flow.steps.gates import GateView, view_gate
from app.intake.queries import PacketRow, list_packet
from app.kernel.work import Work
from app.onboarding.people import acting
from app.onboarding.queries.customer import as_shown
from app.onboarding.queries.picture import Picture
from app.templates.preview import specs_of
from app.web.translations import mark

_CONSEQUENCES = {
    "pass": mark("The gate opens and the next steps begin."),
    "proceed": mark("The gate opens; what is missing is kept under your name."),
    "override": mark("The gate opens although something blocks; your name and reason are kept in the trail."),
    "return": mark("It goes back to be completed; nothing starts."),
    "stop": mark("The onboarding ends here, for good."),
}
# What the trail keeps of a decision and where facts come from, in words: definitions and rows hold short names.
_KEPT = {
    "reviewer": mark("who decided"),
    "decision": mark("the decision"),
    "reason": mark("the reason"),
    "missing": mark("what was missing"),
    "packet": mark("the facts handed over"),
    "checks": mark("the checks"),
    "escalations": mark("what was taken further"),
}
_SOURCES = {"crm": mark("the CRM"), "person": mark("a person, by hand")}


def gate_lines(picture: Picture) -> list[dict[str, Any]]:
    """Every gate of the plan in a line."""
    lines = []
    for item in picture.definition.of_kind("gate"):
        view = view_gate(picture.definition, picture.state, item.key)
        missing = {"hard_missing": len(view.missing_hard), "soft_missing": len(view.missing_soft)}
        lines.append({"path": f"{picture.path}/gates/{item.key}"} | gate_facts(picture, item) | missing)
    return lines


def gate_page(work: Work, picture: Picture, gate: str) -> dict[str, Any]:
    """The gate's page. Raises OnboardingMissing, NotOpen where the key is not a gate's."""
    item = picture.item(gate)
    view = view_gate(picture.definition, picture.state, gate)
    review = item.review
    may_decide = can(work.rights, Permission.GATE_DECIDE) and picture.of(gate).state == "open"
    roles = acting(work, picture.onboarding).roles
    may_decide = may_decide and review is not None and bool({review.reviewer} & set(roles))
    rows = {row.field: row for row in list_packet(work, picture.onboarding.id)}
    editable = can(work.rights, Permission.PACKET_EDIT) and picture.of(gate).state == "open"
    fields = picture.definition.handoff if review is not None and review.handoff else ()
    return {
        "onboarding": {"tenant": picture.tenant_name, "path": picture.path},
        "gate": gate_facts(picture, item) | {"role": _role(picture, item)},
        "packet": [_fact(picture, field, rows.get(field.field.id), editable=editable) for field in fields],
        "shown": shown_of(picture, review) if review and not work.rights & CUSTOMER_ROLES else [],
        "blocking": [_missing(field) for field in fields if field.field.id in view.missing_hard],
        "naming": [_missing(field) for field in fields if field.field.id in view.missing_soft],
        "checks": _checks(item, view),
        "escalate": escalations_of(review, view) if review else [],
        "logged": [_word(picture, _KEPT, name) for name in review.logged] if review else [],
        "decisions": _buttons(picture, review, view) if review else [],
        "reason": "",
        "errors": [],
        "action": f"{picture.path}/gates/{gate}/decision" if may_decide else "",
    }


def shown_of(picture: Picture, review: GateReview) -> list[dict[str, Any]]:
    """What the template puts before the reviewer, beyond the facts that a handoff gate lists anyway."""
    names = [name for name in review.shows if not (review.handoff and name.startswith("packet."))]
    return [
        {"label": dict(field.label), "value": as_shown(field, _value(picture, name)), "spec": specs_of([field])[0]}
        for name in names
        if (field := picture.definition.fields.get(name)) is not None
    ]


def _value(picture: Picture, name: str) -> Any:
    """The value behind a name such as criteria use; None where there is none yet."""
    section, _, rest = name.partition(".")
    if section in {"packet", "inputs"}:
        return (picture.state.packet if section == "packet" else picture.state.inputs).get(rest)
    task, _, field = rest.rpartition(".")
    state = picture.of(f"task.{task}")
    return (state.answers if section == "answers" else state.result).get(field)


def gate_facts(picture: Picture, item: Item) -> dict[str, Any]:
    """What was decided, by whom, when and why; or that it is still open."""
    state = picture.of(item.key)
    buttons = {button.id: dict(button.label) for button in item.review.decisions} if item.review else {}
    return {
        "title": dict(item.title),
        "state": state.state,
        "decision": buttons.get(state.decision or "", ""),
        "decided_by": picture.name_of(state.settled_by),
        "decided_at": state.settled_at,
        "reason": state.reason or "",
    }


def _role(picture: Picture, item: Item) -> dict[str, str] | str:
    role = picture.definition.roles.get(item.owner)
    return dict(role.label) if role else item.owner


def _fact(picture: Picture, field: HandoffField, row: PacketRow | None, *, editable: bool) -> dict[str, Any]:
    value = picture.state.packet.get(field.field.id)
    spec = {
        "id": "value",
        "label": dict(field.field.label),
        "type": field.field.type,
        "required": field.rule == "hard",
        "help": dict(field.field.help),
        "options": [{"id": option.id, "label": dict(option.label)} for option in field.field.options],
    }
    corrected = row is not None and row.corrected_by is not None
    return {
        "id": field.field.id,
        "label": dict(field.field.label),
        "value": "" if value is None else as_shown(field.field, value),
        "rule": field.rule,
        "source": _word(picture, _SOURCES, row.source) if row and value not in {None, ""} else "",
        "corrected_by": picture.name_of(f"person:{row.corrected_by}") if row and corrected else "",
        "corrected_at": row.changed_at if row and corrected else None,
        "why": dict(field.why),
        "correct_path": f"{picture.path}/packet/{field.field.id}" if editable else "",
        "spec": spec,
    }


def _word(picture: Picture, words: dict[str, str], name: str) -> str:
    return picture.say(words[name]) if name in words else name.replace("_", " ")


def _missing(field: HandoffField) -> dict[str, Any]:
    return {"label": dict(field.field.label), "place": f"packet-{field.field.id}", "why": dict(field.why)}


def _checks(item: Item, view: GateView) -> list[dict[str, Any]]:
    labels = {check.id: dict(check.label) for check in item.review.validations} if item.review else {}
    words = {True: "complete", False: "missing", None: "unknown"}
    return [{"text": labels[name], "state": words[passed]} for name, passed in view.checks.items()]


def escalations_of(review: GateReview, view: GateView) -> list[dict[str, Any]]:
    """The cases that must be escalated, and which of them is the case here."""
    return [{"text": dict(case.label), "applies": case.id in view.escalations} for case in review.must_escalate]


def _buttons(picture: Picture, review: GateReview, view: GateView) -> list[dict[str, Any]]:
    """The decisions; passing over what is missing is one only where nothing milder will do."""
    milder = {"proceed", "pass"} & {each.effect for each in review.decisions if _button(picture, each, view)["allowed"]}
    in_the_way = not milder or bool(view.escalations)
    return [_button(picture, each, view) for each in review.decisions if in_the_way or each.effect != "override"]


def _button(picture: Picture, button: DecisionButton, view: GateView) -> dict[str, Any]:
    blocked = bool(view.missing_hard or view.failed_checks)
    blocked = blocked or (button.effect == "pass" and bool(view.missing_soft))
    return {
        "id": button.id,
        "label": dict(button.label),
        "effect": button.effect,
        "consequence": picture.say(_CONSEQUENCES[button.effect]),
        "needs_reason": button.reason_required,
        "allowed": not (button.effect in {"pass", "proceed"} and blocked),
    }
