"""A delegation from its request to its end, as both sides live it: who may, how far, at once, and what is told."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.access.decisions import can
from app.access.duties import PersonNeeded, SecondPersonNeeded
from app.access.operations.answering import (
    approve_delegation,
    decline_delegation,
    end_delegation,
    narrow_delegation,
)
from app.access.operations.asking import break_glass, map_groups, withdraw_delegation
from app.access.permissions import Permission
from app.access.policy.delegations import (
    BeyondGranted,
    DelegationMovedOn,
    DelegationStale,
    DelegationUnknown,
    GlassTooSoon,
    GroupUnknown,
    RolesUnusable,
    TooManyRequests,
    WiderThanAsked,
    WindowUnusable,
)
from app.access.queries.delegations import get_delegation, list_delegations
from app.access.require import NotPermitted, StepUpNeeded
from app.access.schemas import DelegationAnswer, GlassWish, GroupGrants, GroupWish
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from tests.integration.access.conftest import Scene

ANY = frozenset({"*"})


def _csm(*groups: UUID) -> GroupGrants:
    return GroupGrants([GroupWish(each, ["csm"]) for each in groups])


class TestARequest:
    def test_lets_nobody_in_until_the_customer_agrees(self, scene: Scene):
        asked = scene.ask("csm")
        assert (asked.state, asked.kind, asked.requested_by) == ("requested", "standard", "Dana")
        assert scene.rights(scene.dana) == frozenset()
        given = scene.approve(asked)
        assert (given.state, given.decided_by) == ("active", "Olga")
        assert scene.rights(scene.dana) == {"csm"}

    def test_is_for_staff_whose_role_at_home_includes_it(self, scene: Scene):
        for stranger in (
            scene.staff("Cora", "csm"),
            scene.staff("Nobody"),
            scene.olga,
            Actor("person", new_id(), "Eve", organisation_id=new_id(), roles=frozenset({"partner_owner"})),
        ):
            with pytest.raises(NotPermitted):
                scene.ask("csm", by=stranger)

    @pytest.mark.parametrize("roles", [[], ["owner"], ["operator"], ["no_decisions"], ["made up"], ["csm!"], ["csm,x"]])
    def test_names_roles_of_partners_staff_only(self, scene: Scene, roles: list[str]):
        with pytest.raises(RolesUnusable):
            scene.ask(*roles)

    def test_asks_for_no_more_than_the_root_granted(self, scene: Scene):
        granted = scene.staff("Rita", "partner_admin", "within=csm=finance")
        with pytest.raises(BeyondGranted):
            scene.ask("csm", "technical", by=granted)
        asked = scene.ask("csm", by=granted)
        scene.approve(asked)
        scene.give("technical")
        assert scene.rights(granted) == {"csm"}, "what was granted less by now counts less by now"

    @pytest.mark.parametrize("days", [0, -1, 731])
    def test_has_a_window_that_can_be_lived(self, scene: Scene, days: int):
        with pytest.raises(WindowUnusable):
            scene.ask("csm", days=days)

    def test_is_one_of_a_handful_at_a_time(self, scene: Scene):
        asked = [scene.ask("csm") for _ in range(5)]
        with pytest.raises(TooManyRequests):
            scene.ask("csm")
        scene.do(scene.dana, withdraw_delegation, asked[0].id, reason="A mistake")
        scene.ask("csm")

    def test_withdrawn_cannot_be_agreed_to(self, scene: Scene):
        asked = scene.ask("csm")
        gone = scene.do(scene.dana, withdraw_delegation, asked.id, reason="A mistake")
        assert gone.state == "withdrawn"
        with pytest.raises(DelegationMovedOn):
            scene.do(scene.olga, approve_delegation, asked.id, DelegationAnswer(), versions=ANY)

    def test_is_void_after_ninety_days(self, scene: Scene):
        asked = scene.ask("csm", days=300)
        scene.late(asked.id, requested_at="now() - interval '90 days'")
        assert scene.do(scene.olga, get_delegation, asked.id).state == "expired"
        with pytest.raises(DelegationMovedOn):
            scene.do(scene.olga, approve_delegation, asked.id, DelegationAnswer(), versions=ANY)


class TestAnAnswer:
    def test_takes_an_owner_who_has_proved_who_they_are(self, scene: Scene):
        asked = scene.ask("csm")
        with pytest.raises(StepUpNeeded):
            scene.approve(asked, by=replace(scene.olga, stepped_up=False))
        for other in (scene.member("Adam", "admin"), scene.dana, scene.staff("Pia", "partner_owner")):
            with pytest.raises(NotPermitted):
                scene.approve(asked, by=other)
        robot = replace(scene.olga, kind="service")
        with pytest.raises(PersonNeeded):
            scene.approve(asked, by=robot)

    def test_is_given_by_another_than_who_asked(self, scene: Scene):
        both = scene.member("Bo", "owner")
        both = replace(both, organisation_id=scene.partner.id, roles=frozenset({"onboarding_lead"}))
        asked = scene.ask("csm", by=both)
        with pytest.raises(SecondPersonNeeded):
            scene.approve(asked, by=both)

    def test_may_be_less_and_never_more(self, scene: Scene):
        asked = scene.ask("onboarding_lead", days=100)
        less = "onboarding_lead!onboarding:gate:decide"
        for wider in (
            {"roles": ["onboarding_lead", "partner_admin"]},
            {"roles": ["technical"]},
            {"ends_at": asked.ends_at + timedelta(seconds=1)},
        ):
            with pytest.raises(WiderThanAsked):
                scene.approve(asked, **wider)
        with pytest.raises(WindowUnusable):
            scene.approve(asked, ends_at=scene.now() - timedelta(days=1))
        given = scene.approve(asked, roles=[less], ends_at=scene.now() + timedelta(days=7))
        assert (given.roles, given.requested_roles) == ([less], ["onboarding_lead"])
        rights = scene.rights(scene.dana)
        assert not can(rights, Permission.GATE_DECIDE)
        assert can(rights, Permission.ONBOARDING_WRITE)
        told = scene.entries("delegation.approved")[-1]
        assert told.body["before"]["roles"] == ["onboarding_lead"]
        assert told.body["after"]["roles"] == [less]
        assert (told.actor_name, told.on_behalf_of) == ("Olga", None)

    def test_that_says_no_says_why(self, scene: Scene):
        asked = scene.ask("csm")
        told = scene.do(scene.olga, decline_delegation, asked.id, reason="Not now", versions=ANY)
        assert (told.state, told.end_reason) == ("declined", "Not now")
        assert scene.rights(scene.dana) == frozenset()

    def test_to_an_older_version_changes_nothing(self, scene: Scene):
        asked = scene.ask("csm")
        with pytest.raises(DelegationStale):
            scene.do(scene.olga, approve_delegation, asked.id, DelegationAnswer(), versions=frozenset({'"7"'}))
        assert scene.rights(scene.dana) == frozenset()

    def test_counts_once_when_two_give_one_at_the_same_moment(self, scene: Scene):
        asked, start, said = scene.ask("csm"), threading.Barrier(2), []
        second = scene.member("Oskar", "owner")

        def answer(actor: Actor, operation: Any, *given: Any, **named: Any) -> None:
            start.wait()
            try:
                said.append(scene.do(actor, operation, asked.id, *given, versions=frozenset({'"1"'}), **named).state)
            except (DelegationStale, DelegationMovedOn) as trouble:
                said.append(trouble.slug)

        threads = [
            threading.Thread(target=answer, args=(scene.olga, approve_delegation, DelegationAnswer())),
            threading.Thread(target=answer, args=(second, decline_delegation), kwargs={"reason": "No"}),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(said) in (["active", "delegation-stale"], ["declined", "delegation-stale"])
        assert len(scene.entries("delegation.approved") + scene.entries("delegation.declined")) == 1


class TestAnEnd:
    def test_by_either_side_acts_on_the_next_request(self, scene: Scene):
        admin = scene.staff("Ada", "partner_admin")
        for who, side in ((scene.olga, "customer"), (scene.member("Adam", "admin"), "customer"), (admin, "partner")):
            given = scene.give("csm")
            assert scene.rights(scene.dana) == {"csm"}
            ended = scene.do(who, end_delegation, given.id, reason="Done")
            assert (ended.state, ended.ended_by) == ("ended", side)
            assert scene.rights(scene.dana) == frozenset()
            with pytest.raises(DelegationMovedOn):
                scene.do(who, end_delegation, given.id, reason="Done")

    def test_is_not_for_everybody(self, scene: Scene):
        given = scene.give("csm")
        for who in (scene.member("Vera", "viewer"), scene.dana):
            with pytest.raises(NotPermitted):
                scene.do(who, end_delegation, given.id, reason="Done")
        other = Actor("person", new_id(), "Eve", organisation_id=new_id(), roles=frozenset({"partner_owner"}))
        with pytest.raises(NotPermitted):
            scene.do(other, end_delegation, given.id, reason="Done")

    def test_comes_by_time_without_anybody(self, scene: Scene):
        given = scene.give("csm")
        scene.late(given.id, ends_at="now()")
        assert scene.rights(scene.dana) == frozenset()

    def test_may_come_by_less_and_less(self, scene: Scene):
        given = scene.give("onboarding_lead", days=60)
        narrowed = scene.do(
            scene.olga, narrow_delegation, given.id, DelegationAnswer(["csm"], reason="Enough"), versions=ANY
        )
        assert (narrowed.state, narrowed.roles) == ("active", ["csm"])
        assert scene.rights(scene.dana) == {"csm"}
        with pytest.raises(WiderThanAsked):
            scene.do(scene.olga, narrow_delegation, given.id, DelegationAnswer(["onboarding_lead"]), versions=ANY)
        with pytest.raises(NotPermitted):
            scene.do(scene.staff("Ada", "partner_admin"), narrow_delegation, given.id, DelegationAnswer(), versions=ANY)


class TestGroups:
    def test_choose_who_of_the_partner_has_access(self, scene: Scene):
        care, tech = new_id(), new_id()
        cora = scene.staff("Cora", "csm", "technical", groups=frozenset({care}))
        tom = scene.staff("Tom", "csm", "technical", groups=frozenset({tech}))
        nina = scene.staff("Nina", "csm", groups=frozenset({tech}))
        given = scene.give("csm", "technical")
        assert scene.rights(cora) >= {"csm", "technical"}
        known = {care: "Care", tech: "Tech"}
        wanted = GroupGrants([GroupWish(care, ["csm"]), GroupWish(tech, ["technical"])])
        versions = frozenset({f'"{given.version}"'})
        mapped = scene.do(scene.dana, map_groups, given.id, wanted, known=known, versions=versions)
        assert [group.name for group in mapped.groups] == [known[each] for each in sorted(known, key=str)]
        assert scene.rights(cora) == {"csm"}
        assert scene.rights(tom) == {"technical", "implementation"}
        assert scene.rights(nina) == frozenset(), "a group gives nobody a role that they were not assigned"
        assert scene.rights(scene.dana) == frozenset()
        scene.do(
            scene.olga,
            narrow_delegation,
            given.id,
            DelegationAnswer(["technical"]),
            versions=ANY,
        )
        assert scene.rights(cora) == frozenset()

    def test_get_no_more_than_the_customer_agreed_to(self, scene: Scene):
        given = scene.give("csm")
        tech = new_id()
        wanted = GroupGrants([GroupWish(tech, ["technical"])])
        with pytest.raises(RolesUnusable):
            scene.do(scene.dana, map_groups, given.id, wanted, known={tech: "Tech"}, versions=ANY)

    def test_are_the_partners_own_and_called_as_its_directory_calls_them(self, scene: Scene):
        given, care = scene.give("csm"), new_id()
        with pytest.raises(GroupUnknown):
            scene.do(scene.dana, map_groups, given.id, _csm(care), known={new_id(): "Tech"}, versions=ANY)
        said = GroupGrants([GroupWish(care, ["csm"], name="Acme's own IT")])
        mapped = scene.do(scene.dana, map_groups, given.id, said, known={care: "Care"}, versions=ANY)
        assert [group.name for group in mapped.groups] == ["Care"]
        assert "Acme's own IT" not in str(scene.entries("delegation.mapped")[-1].body)

    def test_stay_when_they_are_gone_from_the_directory_until_they_are_taken_out(self, scene: Scene):
        given, care, tech = scene.give("csm"), new_id(), new_id()
        scene.do(scene.dana, map_groups, given.id, _csm(care), known={care: "Care"}, versions=ANY)
        both = scene.do(scene.dana, map_groups, given.id, _csm(care, tech), known={tech: "Tech"}, versions=ANY)
        assert {group.name for group in both.groups} == {"Care", "Tech"}
        left = scene.do(scene.dana, map_groups, given.id, _csm(tech), known={tech: "Tech"}, versions=ANY)
        assert [group.name for group in left.groups] == ["Tech"]
        with pytest.raises(GroupUnknown):
            scene.do(scene.dana, map_groups, given.id, _csm(care, tech), known={tech: "Tech"}, versions=ANY)

    def test_are_fifty_at_most(self, scene: Scene):
        given, many = scene.give("csm"), [new_id() for _ in range(51)]
        known = dict.fromkeys(many, "Care")
        with pytest.raises(RolesUnusable):
            scene.do(scene.dana, map_groups, given.id, _csm(*many), known=known, versions=ANY)

    def test_keep_what_is_left_when_a_permission_is_taken_away(self, scene: Scene):
        """Pages narrow by permissions: a group whose role lost one had nothing, where another group kept something."""
        care, tech = new_id(), new_id()
        cora = scene.staff("Cora", "csm", groups=frozenset({care}))
        given, known = scene.give("csm", "technical"), {care: "Care", tech: "Tech"}
        wanted = GroupGrants([GroupWish(care, ["csm"]), GroupWish(tech, ["technical"])])
        scene.do(scene.dana, map_groups, given.id, wanted, known=known, versions=ANY)
        less = "csm!onboarding:task:complete"
        narrowed = scene.do(
            scene.olga, narrow_delegation, given.id, DelegationAnswer([less, "technical"]), versions=ANY
        )
        assert scene.rights(cora) == {less}
        assert {group.name: group.roles for group in narrowed.groups} == {"Care": [less], "Tech": ["technical"]}


class TestARenewal:
    def test_goes_on_where_the_old_one_ends(self, scene: Scene):
        given = scene.give("csm", days=20)
        asked = scene.ask("csm", days=120, renewal_of=given.id)
        assert (asked.starts_at, asked.renewal_of) == (given.ends_at, given.id)
        with pytest.raises(DelegationMovedOn):
            scene.ask("csm", days=120, renewal_of=given.id)
        renewed = scene.approve(asked)
        assert (renewed.state, renewed.starts_at) == ("active", given.ends_at)
        scene.do(scene.olga, end_delegation, given.id, reason="Early")
        assert scene.rights(scene.dana) == frozenset(), "the renewal has not begun"

    def test_is_of_ones_own_open_access(self, scene: Scene):
        with pytest.raises(DelegationUnknown):
            scene.ask("csm", renewal_of=new_id())


class TestBrokenGlass:
    def test_lets_one_person_in_for_hours(self, scene: Scene):
        ada = scene.staff("Ada", "partner_admin")
        opened = scene.do(ada, break_glass, GlassWish(["technical"], "Import is stuck", 2))
        assert (opened.kind, opened.state) == ("break_glass", "active")
        assert opened.ends_at - opened.starts_at == timedelta(hours=2)
        assert scene.rights(ada) == {"technical", "implementation"}
        assert scene.rights(scene.staff("Bea", "partner_admin")) == frozenset()
        assert scene.entries("delegation.glass_broken")[-1].reason == "Import is stuck"

    def test_takes_a_proof_and_a_role_that_includes_it(self, scene: Scene):
        wish = GlassWish(["csm"], "Import is stuck")
        with pytest.raises(StepUpNeeded):
            scene.do(scene.staff("Ada", "partner_admin", stepped_up=False), break_glass, wish)
        with pytest.raises(NotPermitted):
            scene.do(scene.dana, break_glass, wish)
        with pytest.raises(PersonNeeded):
            scene.do(replace(scene.staff("Ada", "partner_admin"), kind="service"), break_glass, wish)
        with pytest.raises(RolesUnusable):
            scene.do(scene.staff("Ada", "partner_admin"), break_glass, GlassWish(["partner_admin"], "All of it"))

    def test_is_not_a_habit(self, scene: Scene):
        ada, wish = scene.staff("Ada", "partner_admin"), GlassWish(["csm"], "Stuck")
        first = scene.do(ada, break_glass, wish)
        with pytest.raises(GlassTooSoon):
            scene.do(scene.staff("Bea", "partner_admin"), break_glass, wish)
        scene.late(first.id, starts_at="now() - interval '25 hours'", ends_at="now() - interval '21 hours'")
        second = scene.do(ada, break_glass, wish)
        scene.do(scene.olga, end_delegation, second.id, reason="Not like this")
        assert scene.rights(ada) == frozenset()
        scene.late(second.id, starts_at="now() - interval '3 days'")
        with pytest.raises(GlassTooSoon):
            scene.do(ada, break_glass, wish)


class TestTheList:
    def test_shows_staff_their_own_organisations_only(self, scene: Scene):
        given = scene.give("csm")
        scene.late(given.id, organisation_id=f"'{new_id()}'")
        mine = scene.give("csm")
        assert {one.id for one in scene.do(scene.olga, list_delegations)} == {given.id, mine.id}
        assert [one.id for one in scene.do(scene.dana, list_delegations)] == [mine.id]
        with pytest.raises(DelegationUnknown):
            scene.do(scene.dana, get_delegation, given.id)
