"""What a question of rights costs: the roles of an actor in a tenant, one decision, and Casbin asked the plain way."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import casbin
from casbin.model import Model
from casbin.persist import Adapter
from sqlalchemy import event

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.policy import load_policy
from app.access.queries import load_rights
from app.access.roles import PARTNER_ROLES, Role
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from tenants.slots import make_slots
from tests.benchmarks.ground import Ground, new_tenant
from tests.benchmarks.measure import Figure, at_least, at_most, ms, per_call, percentile, sample, say
from tests.factories.installation import CELL, Installation

TENANTS, STAFF = 10_000, 5
_ROLE, _ASKED = Role.ONBOARDING_LEAD, Permission.GATE_DECIDE
_ROLES = sorted(PARTNER_ROLES - {Role.NO_DECISIONS})  # eight
# Casbin's own "RBAC with domains", with deny beating allow as in our policy: assignments are `g`, roles are `p`.
_MODEL = """
[request_definition]
r = sub, dom, act

[policy_definition]
p = role, act, eft

[role_definition]
g = _, _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = r.act == p.act && g(r.sub, p.role, r.dom)
"""


def measure(ground: Ground) -> Iterator[Figure]:
    """The figures of this group."""
    with ground.installation() as installation:
        yield from _rights(installation)
    roles = frozenset({_ROLE.value})
    assert can(roles, _ASKED)
    ours = per_call(partial(can, roles, _ASKED), 100_000)
    yield Figure("decision", ours * 1e6, "µs", at_most(10))
    narrowed = frozenset({f"{_ROLE}!{Permission.DEAL_ADMIT}", "only=" + "=".join([*sorted(Permission)[::2], _ASKED])})
    assert can(narrowed, _ASKED)
    yield Figure("decision_narrowed", per_call(partial(can, narrowed, _ASKED), 100_000) * 1e6, "µs", at_most(10))
    say(f"access: plain Casbin over {TENANTS} tenants, {STAFF} staff each, {len(_ROLES)} roles")
    enforcer = casbin.Enforcer(_model(), _Assignments())
    ask = partial(enforcer.enforce, _person(_LEAD), f"t{_LEAD}", str(_ASKED))
    assert ask()
    plain = percentile(sample(ask, 100), 50)
    budget = at_least(1000, "ratio")
    yield Figure("decision_to_casbin", ours * 1e6, "µs", budget, "casbin enforce", plain * 1e6, times=True)


def _rights(installation: Installation) -> Iterator[Figure]:
    """A partner's person in a customer's tenant: the longest way, over member row and delegation."""
    partner = installation.partner().id
    lead = Actor("person", new_id(), "Dana", organisation_id=partner, roles=frozenset({_ROLE.value}))
    make_slots(installation.databases, CELL, 1)
    tenant = new_tenant(installation, partner, lead)
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:  # SQLAlchemy's own signature
        asked.append(statement)

    with installation.work(tenant, lead) as work:
        event.listen(work.session.connection(), "before_cursor_execute", note)
        assert can(load_rights(work.session, tenant, lead, work.database_now), _ASKED)
        queries = len(asked)
        times = sample(lambda: load_rights(work.session, tenant, lead, work.database_now), 500, warm=20)
    yield Figure("rights_queries", queries, "queries", at_most(2))
    yield Figure("rights_p50", ms(percentile(times, 50)), "ms", at_most(1.5))
    yield Figure("rights_p99", ms(percentile(times, 99)), "ms")


class _Assignments(Adapter):  # type: ignore[misc]  # the library is untyped
    """Our policy with what each role includes written out, and each tenant's staff, one role each in turn."""

    def load_policy(self, model: Model) -> None:
        """Fill the model by appending: its own way of adding looks for doubles, and takes minutes at this size."""
        policy, sections = load_policy(), model.model
        sections["p"]["p"].policy += [
            [role.value, str(permission), effect]
            for role in Role
            for effect in ("allow", "deny")
            for permission in sorted(policy.permissions(role, effect))
        ]
        sections["g"]["g"].policy += [
            [_person(number, place), _ROLES[(number + place) % len(_ROLES)].value, f"t{number}"]
            for number in range(TENANTS)
            for place in range(STAFF)
        ]


_LEAD = next(n for n in range(TENANTS // 2, TENANTS) if _ROLES[n % len(_ROLES)] is _ROLE)


def _person(tenant: int, place: int = 0) -> str:
    return f"u{tenant}.{place}"


def _model() -> Model:
    return casbin.Enforcer.new_model(text=_MODEL)
