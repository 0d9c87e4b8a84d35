"""Communications: what may go out by itself, what never does, and who sends it (REQUIREMENTS 1.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.flow.definition import AUTOMATIC_KINDS, RISKY_KINDS
from app.templates.document import Source
from app.templates.rules import Path, Problem, likely_fix

Items = Mapping[str, tuple[Path, Mapping[str, Any]]]


def check_messages(source: Source, items: Items) -> list[Problem]:
    """What a communication's policy does not allow, and tasks that send what is not there."""
    written = {each["id"]: each for each in source.document.get("communications", ())}
    sides = {role["id"]: role["side"] for role in source.document["roles"]}
    sent = {str(item["sends"]) for _, item in items.values() if "sends" in item}
    problems = list(_senders(source, items, written, sides))
    for index, each in enumerate(written.values()):
        path: Path = ("communications", index)
        problems += _policy(source, path, each)
        if sides.get(each.get("approval", {}).get("role", "")) == "customer":
            message = "Only the partner sends messages, and so only somebody of the partner's approves them."
            problems.append(source.problem((*path, "approval", "role"), message))
        if sides.get(each["replies_to"]) == "customer":
            problems.append(source.problem((*path, "replies_to"), "A reply goes to somebody of the partner's."))
        if each["kind"] == "inactivity_alert" and sides.get(each["to"]) == "customer":
            problems.append(source.problem((*path, "to"), "An inactivity alert is internal; it goes to the partner."))
        if each["id"] not in sent:
            message = f"No task sends “{each['id']}”."
            problems.append(source.problem(path, message, f"Give a task of the kind message: sends: {each['id']}."))
    return problems


def _senders(source: Source, items: Items, written: Mapping[str, Any], sides: Mapping[str, str]) -> Iterator[Problem]:
    for path, item in items.values():
        name = item.get("sends")
        if name is None:
            continue
        if item.get("kind") != "message":
            yield source.problem((*path, "sends"), "Only a task of the kind message sends something.")
        if name not in written:
            yield source.problem((*path, "sends"), f"There is no communication “{name}”.", likely_fix(name, written))
        if sides.get(item["owner"]) == "customer":
            yield source.problem((*path, "owner"), "Messages are sent by the partner; its owner is the customer's.")


def _policy(source: Source, path: Path, each: Mapping[str, Any]) -> Iterator[Problem]:
    kind, approval = each["kind"], each.get("approval")
    if each["mode"] == "automatic" and kind not in AUTOMATIC_KINDS:
        message = f"“{kind}” never goes out by itself; only these do: {', '.join(AUTOMATIC_KINDS)}."
        yield source.problem((*path, "mode"), message, "Make it a draft.")
    if kind in RISKY_KINDS and (approval is None or "when" in approval):
        message = f"“{kind}” is risky: it needs an approval, and always."
        yield source.problem(path, message, "Give it approval: {role: …} without a condition.")
