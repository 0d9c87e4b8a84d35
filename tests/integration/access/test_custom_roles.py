"""A partner's own roles: only narrower, acting on the next request, not removed while somebody holds them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app.access.decisions import can
from app.access.operations.custom_roles import (
    RoleInUse,
    RoleStale,
    RoleTooWide,
    RoleUnusable,
    TooManyRoles,
    define_role,
    put_definition,
    remove_role,
)
from app.access.permissions import Permission
from app.access.queries.custom_roles import MOST_ROLES, RoleUnknown, list_custom_roles, version_tag
from app.access.require import NotPermitted, StepUpNeeded
from app.access.rights import staff_rights
from app.access.schemas import CustomRoleOut, CustomRoleWish
from app.identity.operations import ensure_person
from app.identity.queries import list_assignments
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.partners.operations import assign_role
from tenants.sessions import lookup_session
from tests.integration.access.conftest import Scene

_MANY = """
    INSERT INTO control.custom_role (id, organisation_id, name, base, removed, made_at, changed_at)
    SELECT gen_random_uuid(), %s, 'Role ' || n, 'csm', '["intake:deal:read"]', now(), now()
    FROM generate_series(1, %s) n"""
NO_GATES = CustomRoleWish("Lead without gates", "onboarding_lead", ["onboarding:gate:decide"])


def held(scene: Scene, person: UUID, organisation: UUID) -> list[str]:
    """What the next request of the person finds."""
    with lookup_session(scene.installation.databases) as (session, _now):
        return [one.role for one in list_assignments(session, person, organisation)]


def defined(scene: Scene, by: Actor, wish: CustomRoleWish = NO_GATES, **more: Any) -> Any:
    return define_role(scene.installation.runtime, by, wish, trace_id="t", **more)


class TestARoleOfOnesOwn:
    def test_acts_on_the_next_request_as_it_is_defined_then(self, scene: Scene):
        ada = scene.staff("Ada", "partner_admin")
        role = defined(scene, ada)
        email = f"lea-{new_id().hex[-6:]}@northwind.example"
        lea = ensure_person(scene.installation.databases, email=email, name="Lea", locale="en")
        given = {"person_id": lea, "organisation_id": scene.partner.id, "role": role.assigned_as}
        assign_role(scene.installation.databases, ada, **given)
        [name] = held(scene, lea, scene.partner.id)
        assert name == "onboarding_lead!onboarding:gate:decide" == role.means
        rights = staff_rights(scene.staff("Lea", name))
        assert not can(rights, Permission.GATE_DECIDE)
        assert can(rights, Permission.ONBOARDING_WRITE)
        narrower = replace_removed(NO_GATES, "onboarding:gate:decide", "onboarding:onboarding:write")
        defined(scene, ada, narrower, role_id=role.id)
        [name] = held(scene, lea, scene.partner.id)
        assert not can(staff_rights(scene.staff("Lea", name)), Permission.ONBOARDING_WRITE)
        with pytest.raises(RoleInUse) as trouble:
            remove_role(scene.installation.runtime, ada, role.id, trace_id="t")
        assert trouble.value.extensions == {"held_by": "Lea"}
        scene.installation.control("DELETE FROM control.assignment WHERE person_id = %s", lea)
        remove_role(scene.installation.runtime, ada, role.id, trace_id="t")
        assign_role(scene.installation.databases, ada, **given)
        assert held(scene, lea, scene.partner.id) == []

    def test_contains_no_more_than_its_author_holds(self, scene: Scene):
        narrow = scene.staff("Nora", "partner_admin!onboarding:gate:decide")
        with pytest.raises(RoleTooWide):
            defined(scene, narrow, CustomRoleWish("Wide", "onboarding_lead", ["intake:deal:admit"]))
        defined(scene, narrow, CustomRoleWish("Fits", "onboarding_lead", ["onboarding:gate:decide"]))
        with pytest.raises(RoleTooWide):
            defined(scene, narrow, CustomRoleWish("Above", "partner_owner", ["onboarding:gate:decide"]))

    @pytest.mark.parametrize(
        ("base", "removed"),
        [("owner", ["tenancy:tenant:read"]), ("csm", []), ("csm", ["onboarding:gate:decide"]), ("operator", ["x:y:z"])],
    )
    def test_narrows_a_role_of_the_partner(self, scene: Scene, base: str, removed: list[str]):
        with pytest.raises(RoleUnusable):
            defined(scene, scene.staff("Ada", "partner_admin"), CustomRoleWish("Odd", base, removed))

    def test_is_defined_by_who_may_and_proves_it(self, scene: Scene):
        with pytest.raises(StepUpNeeded):
            defined(scene, scene.staff("Ada", "partner_admin", stepped_up=False))
        with pytest.raises(NotPermitted):
            defined(scene, scene.dana)

    def test_stays_in_its_branch_of_the_tree(self, scene: Scene):
        role = defined(scene, scene.staff("Ada", "partner_admin"))
        other = scene.installation.partner(f"Other{new_id().hex[-4:]}")
        eve = replace(scene.staff("Eve", "partner_admin"), organisation_id=other.id)
        with pytest.raises(RoleUnknown):
            define_role(scene.installation.runtime, eve, NO_GATES, trace_id="t", role_id=role.id)
        assert role.id not in {each.id for each in list_custom_roles(scene.installation.runtime, eve).items}
        email = f"eva-{new_id().hex[-6:]}@other.example"
        eva = ensure_person(scene.installation.databases, email=email, name="Eva", locale="en")
        assign_role(scene.installation.databases, eve, person_id=eva, organisation_id=other.id, role=role.assigned_as)
        assert held(scene, eva, other.id) == []

    def test_changed_by_two_at_once_is_changed_by_one(self, scene: Scene):
        ada = scene.staff("Ada", "partner_admin")

        def change(role: CustomRoleOut, name: str) -> bool:
            wish, versions = CustomRoleWish(name, role.base, role.removed), frozenset({version_tag(role)})
            try:
                defined(scene, ada, wish, role_id=role.id, versions=versions)
            except RoleStale:
                return False
            return True

        with ThreadPoolExecutor(4) as pool:
            for _round in range(8):
                role = defined(scene, ada)
                assert sorted(pool.map(change, [role] * 4, "1234")) == [False, False, False, True]

    def test_are_never_more_than_their_list_shows(self, scene: Scene):
        ada, full = scene.staff("Ada", "partner_admin"), scene.installation.partner(f"Full{new_id().hex[-4:]}")
        anna = replace(ada, organisation_id=full.id)
        scene.installation.control(_MANY, full.id, MOST_ROLES - 1)
        last = defined(scene, anna)
        with pytest.raises(TooManyRoles):
            defined(scene, anna)
        defined(scene, anna, role_id=last.id)
        remove_role(scene.installation.runtime, anna, last.id, trace_id="t")
        defined(scene, anna)

    def test_that_was_removed_does_not_come_back_by_late_news(self, scene: Scene):
        ada = scene.staff("Ada", "partner_admin")
        role = defined(scene, ada)
        facts = {"name": role.name, "base": role.base, "removed": role.removed}
        remove_role(scene.installation.runtime, ada, role.id, trace_id="t")
        put_definition(scene.installation.runtime, scene.partner.id, role.id, facts, at=role.changed_at)
        assert role.id not in {each.id for each in list_custom_roles(scene.installation.runtime, ada).items}
        scene.run_due()
        assert role.id not in {each.id for each in list_custom_roles(scene.installation.runtime, ada).items}


def replace_removed(wish: CustomRoleWish, *removed: str) -> CustomRoleWish:
    """The same role with other permissions taken away."""
    return CustomRoleWish(wish.name, wish.base, list(removed))
