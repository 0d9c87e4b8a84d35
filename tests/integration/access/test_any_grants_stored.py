"""The histories of tests/property/access over real rows: assignments and delegations, read as a request reads them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis.stateful import initialize, invariant, run_state_machine_as_test

from app.access.decisions import permissions_of
from app.access.lookups import roles_held
from app.access.permissions import Permission
from app.access.roles import Role
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from tests.factories.installation import Installation
from tests.property.access.test_any_grants import PEOPLE, AnyGrants
from tests.property.access.world import PARENTS, Access, Name, spelt

_DELEGATION = """
    INSERT INTO {}.delegation (id, organisation_id, roles, state, reason, starts_at, ends_at, changed_at, kind,
        requested_by, grants, version)
    VALUES (%s, %s, %s::jsonb, %s, 'x', now() + %s, now() + %s, now(), %s, %s, %s::jsonb, 1)"""


class StoredGrants(AnyGrants):
    """The same machine; before each look all of the world is written down, and rights are read from there."""

    installation: ClassVar[Installation]

    @initialize()
    def found(self) -> None:
        """The tree, and the one tenant."""
        self.places: dict[str, UUID] = {"root": self.installation.platform}
        for name, parent in list(PARENTS.items())[1:]:
            self.places[name] = self.installation.partner(name.title(), parent=self.places[str(parent)]).id
        self.tenant = self.installation.tenant(self.places["resell"], "Acme", kind="customer")
        self.installation.control("DELETE FROM control.assignment")
        for who in PEOPLE:
            self.installation.control(
                "INSERT INTO control.person (id, email, name, locale, made_at) VALUES (%s, %s, 'P', 'en', now())"
                " ON CONFLICT DO NOTHING",
                *(who, f"{who.hex}@x.example"),
            )

    @invariant()
    def nobody_may_more_or_less_than_the_model_says(self) -> None:
        if not hasattr(self, "tenant"):
            return
        self.write()
        for who in PEOPLE:
            allowed = permissions_of(self.rights(who))
            expected = {permission for permission in Permission if self.world.may(who, permission)}
            assert allowed == expected, who

    @invariant()
    def nobody_exceeds_what_the_root_granted(self) -> None:
        """Follows from the model, which is asked for each of them above."""

    @invariant()
    def a_token_does_no_more_than_its_scopes(self) -> None:
        """Likewise, and not a matter of rows."""

    @invariant()
    def casbin_says_the_same(self) -> None:
        """Likewise."""

    def rights(self, who: UUID) -> frozenset[str]:
        held = roles_held(f"'{who}'::uuid", f"'{self.places['resell']}'::uuid")
        [row] = self.installation.control(f"SELECT {held} AS roles".replace("%", "%%"))
        organisation = self.places["resell"] if row.roles else None
        groups = self.world.groups.get(who, frozenset())
        actor = Actor("person", who, "P", organisation_id=organisation, roles=frozenset(row.roles), groups=groups)
        with self.installation.work(self.tenant, actor) as work:
            return frozenset(work.rights)

    def write(self) -> None:
        """All of the world as rows."""
        run, world = self.installation.control, self.world
        run("DELETE FROM control.assignment")
        run("UPDATE control.organisation SET limits = NULL")
        for where, roles in world.ceilings.items():
            limits = json.dumps({"roles": sorted(roles)})
            run("UPDATE control.organisation SET limits = %s::jsonb WHERE id = %s", limits, self.places[where])
        run("DELETE FROM control.custom_role")
        for id_, own in world.own_roles.items():
            run(
                "INSERT INTO control.custom_role"
                " (id, organisation_id, name, base, removed, made_at, changed_at, ended_at)"
                " VALUES (%s, %s, 'x', %s, %s::jsonb, now(), now(), CASE WHEN %s THEN now() END)",
                *(id_, self.places[own.organisation], own.base, json.dumps(sorted(own.removed)), own.gone),
            )
        for who, where, role in world.assigned:
            named = str(role) if isinstance(role, Role) else f"custom:{role}"
            run(
                "INSERT INTO control.assignment (id, person_id, organisation_id, role, made_at)"
                " VALUES (%s, %s, %s, %s, now())",
                *(new_id(), who, self.places[where], named),
            )
        self.installation.rows(self.tenant, "DELETE FROM {}.member; DELETE FROM {}.delegation")
        for who, member in world.members.items():
            self.installation.rows(
                self.tenant,
                "INSERT INTO {}.member (person_id, email, name, role, locale, state, invited_at)"
                " VALUES (%s, 'x', 'x', %s, 'en', 'active', now())",
                *(who, member),
            )
        for access in world.accesses:
            self.installation.rows(self.tenant, _DELEGATION, *self.row(access))

    def row(self, access: Access) -> tuple[Any, ...]:
        """The columns of an access; what begins or ends in this very moment is a moment ago."""
        kind = "break_glass" if access.person else "standard"
        groups = [{"group": str(group), "name": "g", "roles": written(roles)} for group, roles in access.groups]
        moment = timedelta(seconds=1)
        starts, ends = access.starts - self.world.now - moment, access.ends - self.world.now - moment
        return (
            *(new_id(), self.places["resell"], json.dumps(written(access.roles)), access.state),
            *(starts, ends, kind, access.person, json.dumps(groups) if groups else None),
        )


def written(names: list[Name]) -> list[str]:
    """The names as a row holds them."""
    return [spelt(name) for name in names]


def run(installation: Installation, *, examples: int, steps: int) -> None:
    """So many histories of so many steps."""
    machine = type("StoredGrants", (StoredGrants,), {"installation": installation})
    chosen = settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    run_state_machine_as_test(machine, settings=chosen)


class TestAnyGrantsStored:
    def test_of_a_short_history_are_what_the_model_says(self, shared_installation: Installation):
        run(shared_installation, examples=4, steps=12)

    @pytest.mark.soak
    def test_any_grants_of_long_histories_are_what_the_model_says(self, shared_installation: Installation):
        run(shared_installation, examples=60, steps=40)
