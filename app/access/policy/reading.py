"""Reads `policy.csv`, the one place where rules of roles are written. Decides nothing.

Our own reader, because the stock ones split names at commas and shift a rule by a column (a privilege bug): here a rule
has exactly its columns, of names that exist, or the program does not start.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from app.access.permissions import Permission
from app.access.roles import Role

POLICY_FILE: Final = Path(__file__).with_name("policy.csv")
MOST_RULES: Final = 100
EFFECTS: Final = frozenset({"allow", "deny"})


class PolicyBroken(ValueError):
    """The policy file holds a line that is no rule; a mistake of ours, found at start."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`role` is allowed or denied `permission`."""

    role: Role
    permission: Permission
    effect: str

    def __str__(self) -> str:
        return f"p, {self.role}, {self.permission}, {self.effect}"


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules, and which role includes which, in the order of the file."""

    rules: tuple[Rule, ...]
    inclusions: tuple[tuple[Role, Role], ...]

    def implied(self, role: Role) -> frozenset[Role]:
        """The role and every role it includes, near or far."""
        found, waiting = {role}, [role]
        while waiting:
            held = waiting.pop()
            further = {included for holder, included in self.inclusions if holder is held} - found
            found |= further
            waiting += further
        return frozenset(found)

    def permissions(self, role: Role, effect: str) -> frozenset[Permission]:
        """What the role, with all it includes, is allowed or denied."""
        held = self.implied(role)
        return frozenset(rule.permission for rule in self.rules if rule.role in held and rule.effect == effect)


@cache
def load_policy() -> Policy:
    """The committed policy, read once per program. Raises PolicyBroken."""
    return parse_policy(POLICY_FILE.read_text("utf-8"))


def parse_policy(text: str) -> Policy:
    """A policy from its text. Raises PolicyBroken naming the line."""
    rules: list[Rule] = []
    inclusions: list[tuple[Role, Role]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = [word.strip() for word in line.split(",")]
        if line.startswith("#") or not line.strip():
            continue
        try:
            _take(words, rules, inclusions)
        except ValueError as trouble:
            raise PolicyBroken(f"policy.csv line {number}: {trouble}") from None
    if len(rules) + len(inclusions) > MOST_RULES:
        raise PolicyBroken(f"policy.csv holds more than {MOST_RULES} rules")
    return _without_circles(Policy(tuple(rules), tuple(inclusions)))


def _take(words: list[str], rules: list[Rule], inclusions: list[tuple[Role, Role]]) -> None:
    match words:
        case ["p", role, permission, effect] if effect in EFFECTS:
            rule = Rule(Role(role), Permission(permission), effect)
            _refuse_twice(rule in rules)
            rules.append(rule)
        case ["g", role, included]:
            link = (Role(role), Role(included))
            _refuse_twice(link in inclusions)
            inclusions.append(link)
        case _:
            raise ValueError("neither `p, role, permission, allow|deny` nor `g, role, included role`")


def _refuse_twice(known: bool) -> None:  # noqa: FBT001 - one private question
    if known:
        raise ValueError("stands there twice")


def _without_circles(policy: Policy) -> Policy:
    for role, included in policy.inclusions:
        if role in policy.implied(included):
            raise PolicyBroken(f"policy.csv: {role} and {included} include each other")
    return policy
