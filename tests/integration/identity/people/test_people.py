"""People invited, given roles and removed: by whom it may be done, what follows at once, what a kill leaves behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.access.require import NotPermitted, StepUpNeeded
from app.identity.operations import ensure_person
from app.identity.people import rules
from app.identity.people.following import follow_person
from app.identity.people.members import Invited, change_member, invite_member, remove_member
from app.identity.people.queries import find_colleague, list_owners, list_staff, works_in
from app.identity.people.staff import Colleague, change_staff, invite_staff
from app.kernel.actor import Actor
from app.kernel.errors import SlipwayError
from app.kernel.ids import new_id
from app.partners.operations import assign_role
from tests.factories.installation import person

KEY = b"k" * 32
_MEMBER = """
    INSERT INTO "{schema}".member (person_id, email, name, role, locale, state, invited_at)
    VALUES (%s, %s, %s, %s, 'en', 'active', now())"""


@pytest.fixture(scope="module")
def house(shared_installation):
    return shared_installation


@pytest.fixture
def acme(house):
    return house.customer(house.partner(f"Partner {new_id().hex[:6]}"))


@pytest.fixture
def home(house):
    return house.partner(f"House {new_id().hex[:6]}").home


def someone(house, name):
    email = f"{name}.{new_id().hex[-8:]}@people.example"
    return ensure_person(house.databases, email=email, name=name, locale="en"), email


def member(house, tenant, role, *, stepped_up=True):
    """One of the customer's people, written as admission writes them."""
    person_id, email = someone(house, role)
    house.cell(_MEMBER.format(schema=tenant.schema), person_id, email, role, role)
    return Actor("person", person_id, role, stepped_up=stepped_up)


def staff(house, home, *roles, stepped_up=True):
    person_id, _email = someone(house, roles[0])
    for role in roles:
        assign_role(house.databases, person(), person_id=person_id, organisation_id=home.organisation_id, role=role)
    held = frozenset(roles)
    return Actor("person", person_id, roles[0], organisation_id=home.organisation_id, roles=held, stepped_up=stepped_up)


def guest(house, role, **more: Any):
    person_id, email = someone(house, "guest")
    return Invited(person_id, email, "Guest", "en", role, **more)


def do(house, tenant, actor, operation, *args: Any, **named: Any):
    with house.work(tenant, actor) as work:
        return operation(work, *args, **named)


def row(house, tenant, person_id):
    [found] = house.rows(tenant, "SELECT role, roles, state FROM {}.member WHERE person_id = %s", person_id)
    return found


def assigned(house, home, person_id):
    query = "SELECT role FROM control.assignment WHERE person_id = %s AND organisation_id = %s ORDER BY role"
    return [each.role for each in house.control(query, person_id, home.organisation_id)]


def colleague(house, home, actor_id):
    found = find_colleague(house.runtime, home.organisation_id, actor_id)
    assert found is not None
    return found


class TestInvitingMembers:
    @pytest.mark.parametrize(
        ("by", "role", "refused"),
        [
            ("owner", "owner", None),
            ("owner", "admin", None),
            ("admin", "contributor", None),
            ("admin", "viewer", None),
            ("admin", "owner", SlipwayError),
            ("admin", "approver", rules.RoleBeyondYours),
            ("contributor", "viewer", NotPermitted),
            ("viewer", "viewer", NotPermitted),
            ("owner", "partner_owner", rules.RoleUnknown),
            ("owner", "operator", rules.RoleUnknown),
            ("owner", "", rules.RoleUnknown),
        ],
    )
    def test_gives_nobody_more_than_its_giver_holds(self, house, acme, by, role, refused):
        giver, invited = member(house, acme, by), guest(house, role)
        if refused is None:
            do(house, acme, giver, invite_member, invited)
            assert row(house, acme, invited.person_id)[::2] == (role, "active")
            return
        with pytest.raises(refused):
            do(house, acme, giver, invite_member, invited)
        assert not house.rows(acme, "SELECT 1 FROM {}.member WHERE person_id = %s", invited.person_id)

    def test_of_an_owner_takes_a_fresh_proof(self, house, acme):
        with pytest.raises(StepUpNeeded):
            do(house, acme, member(house, acme, "owner", stepped_up=False), invite_member, guest(house, "admin"))

    def test_refuses_staff_of_the_partner(self, house, acme):
        owner = member(house, acme, "owner")
        with pytest.raises(rules.WorksForPartner):
            do(house, acme, owner, invite_member, guest(house, "viewer", works_here=True))

    def test_knows_staff_of_the_partner_and_of_those_above(self, house):
        above = house.partner(f"Above {new_id().hex[:6]}")
        below = house.partner(f"Below {new_id().hex[:6]}", parent=above.id)
        worker = staff(house, above.home, "csm")
        assert works_in(house.runtime, worker.id, below.id)
        assert not works_in(house.runtime, someone(house, "x")[0], below.id)

    def test_twice_is_refused_and_told_where(self, house, acme):
        owner, invited = member(house, acme, "owner"), guest(house, "viewer")
        do(house, acme, owner, invite_member, invited)
        with pytest.raises(rules.AlreadyHere) as told:
            do(house, acme, owner, invite_member, invited)
        assert told.value.errors[0][0] == "email"

    def test_stands_in_the_trail_with_who_and_why_and_promises_a_mail(self, house, acme):
        owner, invited = member(house, acme, "owner"), guest(house, "viewer", reason="Reads along")
        do(house, acme, owner, invite_member, invited)
        query = "SELECT actor_id, reason, body FROM {}.trail WHERE action = 'identity.member.invited'"
        [entry] = house.rows(acme, query)
        assert (entry.actor_id, entry.reason, entry.body["after"]) == (owner.id, "Reads along", ["viewer"])
        types = {each.type for each in house.cell("SELECT type FROM cell.outbox WHERE tenant_id = %s", acme.id)}
        assert "identity.member.invited" in types


class TestChangingMembers:
    def test_acts_on_the_next_request(self, house, acme):
        owner, admin = member(house, acme, "owner"), member(house, acme, "admin")
        do(house, acme, owner, change_member, admin.id, role="viewer", reason=None)
        with pytest.raises(NotPermitted):
            do(house, acme, admin, invite_member, guest(house, "viewer"))

    def test_is_never_done_to_oneself(self, house, acme):
        owner = member(house, acme, "owner")
        for act in (
            lambda w: change_member(w, owner.id, role="viewer", reason=None),
            lambda w: remove_member(w, owner.id, reason=None),
        ):
            with pytest.raises(rules.OwnRole):
                do(house, acme, owner, act)

    def test_does_not_reach_above(self, house, acme):
        owner, admin = member(house, acme, "owner"), member(house, acme, "admin")
        member(house, acme, "owner")
        for act in (
            lambda w: change_member(w, owner.id, role="viewer", reason=None),
            lambda w: remove_member(w, owner.id, reason=None),
        ):
            with pytest.raises(SlipwayError):
                do(house, acme, admin, act)
        assert row(house, acme, owner.id)[::2] == ("owner", "active")

    def test_keeps_one_owner_even_when_two_remove_each_other(self, house, acme):
        first, second = member(house, acme, "owner"), member(house, acme, "owner")

        def remove(pair):
            try:
                do(house, acme, pair[0], remove_member, pair[1].id, reason=None)
            except SlipwayError as error:
                return type(error)

        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(remove, [(first, second), (second, first)]))
        left = house.rows(acme, "SELECT 1 FROM {}.member WHERE role = 'owner' AND state = 'active'")
        assert len(left) == 1
        assert None in said

    def test_of_nobody_and_of_a_removed_one_is_missing(self, house, acme):
        owner, viewer = member(house, acme, "owner"), member(house, acme, "viewer")
        do(house, acme, owner, remove_member, viewer.id, reason=None)
        for gone in (viewer.id, new_id()):
            with pytest.raises(rules.PersonUnknown):
                do(house, acme, owner, change_member, gone, role="viewer", reason=None)


class TestStaff:
    def test_are_invited_changed_and_removed_and_assignments_follow(self, house, home):
        owner = staff(house, home, "partner_owner")
        person_id, email = someone(house, "new")
        new = Colleague(person_id, email, "New", "en", frozenset())
        do(house, home, owner, invite_staff, new, roles=frozenset({"csm", "finance"}), reason="hired")
        follow_person(house.runtime, home, person_id, trace_id="t")
        assert assigned(house, home, person_id) == ["csm", "finance"]
        changed = colleague(house, home, person_id)
        do(house, home, owner, change_staff, changed, roles=frozenset({"technical"}), reason=None, owners=frozenset())
        follow_person(house.runtime, home, person_id, trace_id="t")
        assert assigned(house, home, person_id) == ["technical"]
        changed = colleague(house, home, person_id)
        do(house, home, owner, change_staff, changed, roles=frozenset(), reason="left", owners=frozenset())
        follow_person(house.runtime, home, person_id, trace_id="t")
        assert assigned(house, home, person_id) == []

    def test_follow_the_row_in_whatever_order_and_however_often(self, house, home):
        owner, worker = staff(house, home, "partner_owner"), staff(house, home, "csm")
        for roles in ({"csm", "finance"}, {"technical"}):
            known = colleague(house, home, worker.id)
            do(house, home, owner, change_staff, known, roles=frozenset(roles), reason=None, owners=frozenset())
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _n: follow_person(house.runtime, home, worker.id, trace_id="t"), range(4)))
        assert assigned(house, home, worker.id) == ["technical"]

    def test_are_brought_up_to_date_by_the_job_where_the_request_was_killed(self, house, home):
        owner, worker = staff(house, home, "partner_owner"), staff(house, home, "csm")
        known = colleague(house, home, worker.id)
        do(house, home, owner, change_staff, known, roles=frozenset(), reason=None, owners=frozenset())
        asked = house.cell("SELECT kind, args FROM cell.job WHERE tenant_id = %s", home.id)
        assert ("identity.follow_staff", {"person_id": str(worker.id)}) in [(each.kind, each.args) for each in asked]

    @pytest.mark.parametrize(
        ("by", "roles"),
        [("partner_admin", {"partner_owner"}), ("onboarding_lead", {"csm"}), ("auditor", {"csm"}), ("csm", {"csm"})],
    )
    def test_are_given_nothing_that_the_giver_does_not_hold(self, house, home, by, roles):
        person_id, email = someone(house, "new")
        new = Colleague(person_id, email, "New", "en", frozenset())
        with pytest.raises((NotPermitted, rules.RoleBeyondYours)):
            do(house, home, staff(house, home, by), invite_staff, new, roles=frozenset(roles), reason=None)

    @pytest.mark.parametrize("roles", [set(), {"owner"}, {"operator"}, {"nonsense"}, {"csm", "operator"}])
    def test_have_roles_of_staff_only(self, house, home, roles):
        person_id, email = someone(house, "new")
        new = Colleague(person_id, email, "New", "en", frozenset())
        with pytest.raises(rules.RoleUnknown):
            do(house, home, staff(house, home, "partner_owner"), invite_staff, new, roles=frozenset(roles), reason=None)

    def test_keep_an_owner(self, house, home):
        first, second = staff(house, home, "partner_owner"), staff(house, home, "partner_owner")
        owners = list_owners(house.runtime, home.organisation_id)
        assert owners == {first.id, second.id}

        def remove(pair):
            known = colleague(house, home, pair[1].id)
            try:
                do(house, home, pair[0], change_staff, known, roles=frozenset(), reason=None, owners=owners)
            except rules.LastOwner:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(remove, [(first, second), (second, first)])) == [False, True]

    def test_who_may_not_decide_cannot_shed_that_for_others(self, house, home):
        bound = staff(house, home, "partner_admin", "no_decisions")
        other = colleague(house, home, staff(house, home, "csm", "no_decisions").id)
        with pytest.raises(rules.RoleBeyondYours):
            do(house, home, bound, change_staff, other, roles=frozenset({"csm"}), reason=None, owners=frozenset())

    def test_need_a_fresh_proof_to_be_changed(self, house, home):
        owner = staff(house, home, "partner_owner", stepped_up=False)
        known = colleague(house, home, staff(house, home, "csm").id)
        with pytest.raises(StepUpNeeded):
            do(house, home, owner, change_staff, known, roles=frozenset(), reason=None, owners=frozenset())

    def test_are_listed_by_page(self, house, home):
        made = {staff(house, home, "csm").id for _ in range(55)}
        first = list_staff(house.runtime, home.organisation_id, key=KEY)
        second = list_staff(house.runtime, home.organisation_id, key=KEY, after=first.older)
        assert {each.id for each in first.people} | {each.id for each in second.people} == made
        assert (first.total, len(first.people), second.older) == (55, 50, "")
