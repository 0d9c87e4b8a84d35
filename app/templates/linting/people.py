"""Who holds the roles: every one that owns something is held by somebody, or somebody stands in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.templates.document import Source
from app.templates.rules import Path, Problem, likely_fix

CONTACTS = "customer_owner"  # the role that the deal's contacts hold
LEAD = "onboarding_lead"  # whoever is told where nobody of the partner holds a role


def check_people(source: Source, items: Mapping[str, tuple[Path, Mapping[str, Any]]]) -> list[Problem]:
    """What does not fit of the roles, and who owns something that nobody may ever see."""
    roles = {role["id"]: role for role in source.document["roles"]}
    problems = list(_fallbacks(source, roles))
    if LEAD not in roles:
        message = f"There is no role “{LEAD}”, who is told where nobody holds a role of the partner's."
        problems.append(source.problem(("roles",), message, "Add it, and let the workflow name somebody."))
    for path, item in items.values():
        owner = str(item["owner"])
        if owner in roles and roles[owner]["side"] == "customer" and CONTACTS not in _chain(owner, roles):
            message = f"The deal's contacts hold “{CONTACTS}”; nobody holds “{owner}” unless somebody is named."
            word = "reviewer" if "reviewer" in item else "owner"
            problems.append(source.problem((*path, word), message, f"Give “{owner}” the fallback “{CONTACTS}”."))
        problems += _escalations(source, path, item, roles)
    return problems


def _fallbacks(source: Source, roles: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    for index, role in enumerate(source.document["roles"]):
        path: Path = ("roles", index, "fallback")
        name = role.get("fallback")
        if name is None:
            continue
        if name not in roles:
            yield source.problem(path, f"There is no role “{name}”.", likely_fix(name, roles))
        elif roles[name]["side"] != role["side"]:
            yield source.problem(path, f"“{name}” is not on the {role['side']}'s side; only the same side stands in.")
        elif role["id"] in _chain(name, roles):
            yield source.problem(path, f"“{role['id']}” would stand in for itself.", "Let the chain end somewhere.")


def _escalations(
    source: Source, path: Path, item: Mapping[str, Any], roles: Mapping[str, Mapping[str, Any]]
) -> Iterator[Problem]:
    """Whoever lets an escalated case through is not the reviewer again (segregation of duties)."""
    for index, case in enumerate(item.get("must_escalate", ())):
        if case["role"] in roles and item["reviewer"] in _chain(case["role"], roles):
            message = f"Where nobody holds “{case['role']}”, this gate's own reviewer would let the case through."
            yield source.problem((*path, "must_escalate", index, "role"), message, "Let another role stand in.")


def _chain(name: str, roles: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A role and who stands in for it, in turn; ends where a role comes again."""
    chain: list[str] = []
    step: str | None = name
    while step is not None and step in roles and step not in chain:
        chain.append(step)
        step = roles[step].get("fallback")
    return chain
