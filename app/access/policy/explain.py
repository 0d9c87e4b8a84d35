"""Explains one decision: which role, which delegation and which rule decided. Asks Casbin, over the committed policy.

Not for the hot path: some hundred microseconds a question. It never decides otherwise than `decisions.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import casbin
from casbin.model import Model
from casbin.persist import Adapter

from app.access.policy.names import read_limits, role_names
from app.access.policy.reading import Policy, Rule, load_policy
from app.access.rights import Grant, names

MODEL: Final = """
[request_definition]
r = roles, permission

[policy_definition]
p = role, permission, eft

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = r.permission == p.permission && holds(r.roles, p.role, p.permission, p.eft) && within(r.roles, r.permission)
"""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer and its reason. `rule` is the line of the policy that decided; none when no line speaks of it.

    `grants` are those of the asked roles that the rule is about, with the member row, assignment or delegation that
    gave each of them.
    """

    allowed: bool
    permission: str
    rule: Rule | None
    grants: tuple[Grant, ...]


class RuleBook:
    """Casbin over one policy. Whole sets of roles are asked at once, so that deny beats allow across roles too.

    Questions take turns: an enforcer parses its matcher at each question, which CPython 3.11 cannot do in several
    threads (`SystemError: AST constructor recursion depth mismatch`).
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._turn = threading.Lock()
        self._enforcer = casbin.Enforcer(casbin.Enforcer.new_model(text=MODEL), _Lines(policy))
        self._enforcer.add_function("holds", self._holds)
        self._enforcer.add_function("within", _within)

    def ask(self, roles: Iterable[str], permission: str) -> tuple[bool, Rule | None]:
        """Casbin's answer and the rule that decided, if any. Names that mean nothing count for nothing."""
        held = tuple(sorted(roles))
        with self._turn:
            allowed, line = self._enforcer.enforce_ex(held, permission)
        rule = next((rule for rule in self._policy.rules if [rule.role, rule.permission, rule.effect] == line), None)
        return bool(allowed), rule

    def holders(self, grants: Iterable[Grant], rule: Rule) -> tuple[Grant, ...]:
        """Those grants whose role is the rule's, or includes it, and was not narrowed by what it allows."""
        return tuple(grant for grant in grants if self._holds((grant.role,), rule.role, rule.permission, rule.effect))

    def _holds(self, roles: tuple[str, ...], role: str, permission: str, effect: str) -> bool:
        """What was taken away from a role takes its allowance, and never its denial."""
        return any(
            self._enforcer.get_role_manager().has_link(str(held.base), role)
            for held in role_names(roles)
            if effect == "deny" or permission not in held.without
        )


def _within(roles: tuple[str, ...], permission: str) -> bool:
    return all(permission in limit for limit in read_limits(roles))


class _Lines(Adapter):  # type: ignore[misc]  # the library is untyped
    """Hands Casbin the parsed rules as lists: no text is split a second time."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def load_policy(self, model: Model) -> None:
        """Fill the model."""
        sections: dict[str, Any] = model.model
        sections["p"]["p"].policy += [[str(r.role), str(r.permission), r.effect] for r in self._policy.rules]
        sections["g"]["g"].policy += [[str(holder), str(included)] for holder, included in self._policy.inclusions]


@cache
def load_rule_book() -> RuleBook:
    """Casbin over the committed policy, made at the first question."""
    return RuleBook(load_policy())


def explain(grants: Iterable[Grant], permission: str) -> Explanation:
    """Why a holder of these grants may, or may not, do it."""
    held = tuple(grants)
    book = load_rule_book()
    allowed, rule = book.ask(names(held), permission)
    return Explanation(allowed, str(permission), rule, book.holders(held, rule) if rule else ())
