"""Random partner trees and histories of grants: nobody exceeds what the root granted, and the model always agrees."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from app.access.decisions import permissions_of
from app.access.permissions import Permission
from app.access.policy.explain import load_rule_book
from app.access.rights import DelegationView, GroupRoles, StaffRoles, limited, list_grants, names
from app.access.roles import CUSTOMER_ROLES, PARTNER_ROLES, Role
from app.kernel.actor import Actor
from tests.property.access.world import ALLOWS, PARENTS, Access, Name, OwnRole, World, chain, spelt

SPACE = UUID("0192d000-0000-7000-8000-000000000000")
PEOPLE = [uuid5(SPACE, f"person {number}") for number in range(4)]
GROUPS = [uuid5(SPACE, f"group {number}") for number in range(2)]
STAFF = sorted(PARTNER_ROLES - {Role.NO_DECISIONS})
WORK = sorted(Permission)

person = st.sampled_from(PEOPLE)
organisation = st.sampled_from(sorted(PARENTS))
staff_role = st.sampled_from(sorted(PARTNER_ROLES))
taken = st.frozensets(st.sampled_from([str(permission) for permission in WORK]), max_size=3)
name = st.tuples(st.sampled_from(STAFF), taken)
some_names = st.lists(name, min_size=1, max_size=3)
hours = st.integers(1, 100).map(lambda number: timedelta(hours=number))


class AnyGrants(RuleBasedStateMachine):
    """One customer of a reseller below a distributor. `world` is the model; decisions are the product's."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.made = 0

    @rule(who=person, where=organisation, role=staff_role)
    def assign(self, who: UUID, where: str, role: Role) -> None:
        self.world.assigned.add((who, where, role))

    @rule(where=organisation, base=st.sampled_from(STAFF), removed=taken)
    def define(self, where: str, base: Role, removed: frozenset[str]) -> None:
        self.made += 1
        self.world.own_roles[uuid5(SPACE, f"role {self.made}")] = OwnRole(where, base, removed)

    @precondition(lambda self: self.world.own_roles)
    @rule(data=st.data(), who=person, where=organisation)
    def assign_own(self, data: st.DataObject, who: UUID, where: str) -> None:
        self.world.assigned.add((who, where, data.draw(st.sampled_from(sorted(self.world.own_roles)))))

    @precondition(lambda self: self.world.own_roles)
    @rule(data=st.data(), removed=taken, gone=st.booleans())
    def change_own(self, data: st.DataObject, removed: frozenset[str], gone: bool) -> None:  # noqa: FBT001 - drawn
        own = self.world.own_roles[data.draw(st.sampled_from(sorted(self.world.own_roles)))]
        own.removed, own.gone = removed, own.gone or gone

    @precondition(lambda self: self.world.assigned)
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        self.world.assigned.remove(data.draw(st.sampled_from(sorted(self.world.assigned, key=str))))

    @rule(where=organisation, roles=st.none() | st.sets(st.sampled_from(STAFF), max_size=3))
    def grant(self, where: str, roles: set[Role] | None) -> None:
        """The root says what an organisation may have at all."""
        self.world.ceilings.pop(where, None)
        if roles is not None:
            self.world.ceilings[where] = roles

    @rule(who=person, groups=st.frozensets(st.sampled_from(GROUPS)))
    def put_in_groups(self, who: UUID, groups: frozenset[UUID]) -> None:
        self.world.groups[who] = groups

    @rule(who=person, role=st.none() | st.sampled_from(sorted(CUSTOMER_ROLES)))
    def make_member(self, who: UUID, role: Role | None) -> None:
        self.world.members.pop(who, None)
        if role is not None:
            self.world.members[who] = role

    @rule(roles=some_names, begins=hours, lasts=hours, alone=st.none() | person)
    def open_access(self, roles: list[Name], begins: timedelta, lasts: timedelta, alone: UUID | None) -> None:
        starts = self.world.now + begins - timedelta(hours=50)
        self.world.accesses.append(Access(roles, starts, starts + lasts, person=alone))

    @precondition(lambda self: self.world.accesses)
    @rule(data=st.data(), roles=some_names)
    def narrow(self, data: st.DataObject, roles: list[Name]) -> None:
        data.draw(st.sampled_from(self.world.accesses)).roles = roles

    @precondition(lambda self: self.world.accesses)
    @rule(data=st.data(), group=st.sampled_from(GROUPS), roles=some_names)
    def map_group(self, data: st.DataObject, group: UUID, roles: list[Name]) -> None:
        data.draw(st.sampled_from(self.world.accesses)).groups.append((group, roles))

    @precondition(lambda self: self.world.accesses)
    @rule(data=st.data(), state=st.sampled_from(["ended", "expired", "requested", "active"]))
    def put_in_state(self, data: st.DataObject, state: str) -> None:
        data.draw(st.sampled_from(self.world.accesses)).state = state

    @rule(by=hours)
    def wait(self, by: timedelta) -> None:
        self.world.now += by

    @invariant()
    def nobody_may_more_or_less_than_the_model_says(self) -> None:
        for who in PEOPLE:
            roles = self.rights(who)
            allowed = permissions_of(roles)
            for permission in WORK:
                expected = self.world.may(who, permission)
                assert (permission in allowed) == expected, (who, permission, sorted(roles))

    @invariant()
    def nobody_exceeds_what_the_root_granted(self) -> None:
        ceilings = [self.world.ceilings[each] for each in chain("resell") if each in self.world.ceilings]
        for who in PEOPLE:
            if who in self.world.members:
                continue
            for permission in permissions_of(self.rights(who)):
                for granted in ceilings:
                    assert any(ALLOWS[role, Permission(permission)] for role in granted)

    @invariant()
    def a_token_does_no_more_than_its_scopes(self) -> None:
        only = frozenset(str(permission) for permission in WORK[::3])
        for who in PEOPLE:
            roles = limited(self.rights(who), Actor("service", who, "robot", only=only))
            expected = {permission for permission in WORK if self.world.may(who, permission, only)}
            assert permissions_of(roles) == expected

    @invariant()
    def casbin_says_the_same(self) -> None:
        roles, asked = self.rights(PEOPLE[0]), WORK[len(self.world.assigned) % len(WORK)]
        assert load_rule_book().ask(roles, asked)[0] == self.world.may(PEOPLE[0], asked)

    def rights(self, who: UUID) -> frozenset[str]:
        """What the product decides with, from the same rows."""
        world = self.world
        assigned = frozenset(spelt(each) for each in world.held(who))
        ceilings = {
            "within=" + "=".join(sorted(roles)) for where, roles in world.ceilings.items() if where in chain("resell")
        }
        staff = StaffRoles(assigned | (ceilings if assigned else set()), world.groups.get(who, frozenset()), who)
        return names(list_grants(world.members.get(who), staff, map(self.view, world.accesses), world.now))

    def view(self, access: Access) -> DelegationView:
        """The access as its row is read."""
        groups = tuple(GroupRoles(group, frozenset(map(spelt, roles))) for group, roles in access.groups)
        view = DelegationView(frozenset(map(spelt, access.roles)), access.starts, access.ends, access.state)
        return replace(view, groups=groups, person=access.person)


def run(examples: int, steps: int) -> None:
    """So many histories of so many steps."""
    chosen = settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    run_state_machine_as_test(AnyGrants, settings=chosen)


class TestAnyGrants:
    def test_of_a_short_history_are_what_the_model_says(self):
        run(25, 25)

    @pytest.mark.soak
    def test_of_long_histories_are_what_the_model_says(self):
        run(3000, 60)
