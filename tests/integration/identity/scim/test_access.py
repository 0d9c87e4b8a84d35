"""What a directory says comes true for people: roles, membership, sessions, the trail; and comes undone."""

from __future__ import annotations

import threading

import pytest

from app.identity.scim.effects import settle_all
from app.kernel.ids import new_id
from tenants.sessions import DatabaseAway
from tests.integration.identity.scim.directories import CORE, Directories


class TestStaff:
    def test_get_the_default_role_and_the_home_s_trail_says_who_gave_it(self, at_work: Directories):
        made = at_work.northwind.create("cleo@northwind.example", displayName="Cleo Marsh")
        assert made.status == 201
        assert made.headers["location"].endswith(f"/scim/v2/Users/{made.body['id']}")
        assert at_work.roles("cleo@northwind.example") == {"csm"}
        entry = at_work.told(at_work.homes[at_work.doors.northwind])[-1]
        assert (entry.actor_kind, entry.actor_id, entry.actor_name) == ("service", at_work.northwind.id, "Entra ID")
        assert (entry.body["before"], entry.body["after"]) == ([], ["csm"])

    def test_are_signed_out_at_once_and_come_back_when_they_are_reactivated(self, at_work: Directories):
        directory, email = at_work.northwind, "dana@northwind.example"
        user = directory.create(email).body["id"]
        browser = at_work.doors.browser()
        assert at_work.doors.sign_in(browser, email).status == 303
        waiting = at_work.doors.ask_for_link(at_work.doors.browser(), email)
        at_work.doors.delegation(at_work.acme, '["csm"]')
        assert browser.get(f"/t/{at_work.acme.id}/connections").status != 303  # let in by the delegation

        assert directory.active(user, "False").body["active"] is False
        assert at_work.roles(email) == set()
        refused = browser.get(f"/t/{at_work.acme.id}/connections")
        assert (refused.status, refused.headers["location"][:8]) == (303, "/sign-in")
        assert at_work.doors.browser().get(waiting.path).status == 404

        assert directory.active(user, "True").status == 200
        assert at_work.roles(email) == {"csm"}
        assert at_work.doors.sign_in(browser, email).status == 303

    def test_lose_everything_but_ownership_when_they_are_deleted(self, at_work: Directories):
        email, home = "owner@northwind.example", at_work.doors.northwind
        at_work.doors.staff(email, home, "partner_owner")
        at_work.doors.staff(email, home, "finance")
        user = at_work.northwind.create(email).body["id"]
        assert at_work.roles(email) == {"partner_owner", "finance", "csm"}
        assert at_work.northwind.send("DELETE", f"/Users/{user}").status == 204
        assert at_work.roles(email) == {"partner_owner"}
        assert at_work.northwind.send("DELETE", f"/Users/{user}").status == 404
        assert at_work.northwind.create(email).status == 201  # the name is free again

    def test_get_the_roles_of_their_groups_and_keep_what_was_given_by_hand(self, at_work: Directories):
        directory, email = at_work.northwind, "finn@northwind.example"
        user = directory.create(email).body["id"]
        at_work.doors.staff(email, at_work.doors.northwind, "technical")
        group = directory.group("Finance", user)
        at_work.role(group, "finance")
        leave = {"op": "Remove", "path": "members", "value": [{"value": user}]}
        assert directory.patch(f"/Groups/{group}", leave).status == 204
        assert at_work.roles(email) == {"csm", "technical"}
        join = {"op": "Add", "path": "members", "value": [{"value": user}]}
        assert directory.patch(f"/Groups/{group}", join).status == 204
        assert at_work.roles(email) == {"finance", "technical"}
        assert directory.send("DELETE", f"/Groups/{group}").status == 204
        assert at_work.roles(email) == {"csm", "technical"}

    def test_never_become_owners_by_a_group(self, at_work: Directories):
        user = at_work.northwind.create("hana@northwind.example").body["id"]
        group = at_work.northwind.group("Bosses")
        at_work.role(group, "partner_owner")
        join = {"op": "add", "path": "members", "value": [{"value": user}]}
        assert at_work.northwind.patch(f"/Groups/{group}", join).status == 204
        assert at_work.roles("hana@northwind.example") == set()

    def test_do_not_shed_what_limits_them_by_going_and_coming_back(self, at_work: Directories):
        directory, email = at_work.northwind, "rita@northwind.example"
        user = directory.create(email).body["id"]
        at_work.doors.staff(email, at_work.doors.northwind, "no_decisions")
        for _ in range(2):
            directory.active(user, False)
            assert at_work.roles(email) == set()
            directory.patch(f"/Users/{user}", {"op": "replace", "path": "title", "value": str(new_id())})
            assert at_work.roles(email) == set()
            directory.active(user, True)
            assert at_work.roles(email) == {"csm", "no_decisions"}

    def test_without_a_mail_address_are_kept_and_can_do_nothing(self, at_work: Directories):
        made = at_work.northwind.create("jdoe")
        assert made.status == 201
        rows = at_work.installation.control("SELECT * FROM control.directory_user WHERE id = %s", made.body["id"])
        assert (rows[0].person_id, rows[0].behind) == (None, False)


class TestMembers:
    def test_come_and_go_with_the_tenant_s_own_row_and_trail(self, at_work: Directories):
        directory, email = at_work.customer, "ann@acme.example"
        user = directory.create(email, displayName="Ann Ames").body["id"]
        assert at_work.member(email) == ("viewer", "active")
        browser = at_work.doors.browser()
        at_work.doors.sign_in(browser, email)
        assert at_work.sessions(email) == 1
        assert directory.active(user, False).status == 200
        assert at_work.member(email) == ("viewer", "removed")
        assert browser.get("/").headers["location"][:8] == "/sign-in"
        index = "SELECT 1 FROM control.membership m JOIN control.person p ON p.id = m.person_id WHERE p.email = %s"
        assert at_work.installation.control(index, email) == []
        assert [entry.body["after"] for entry in at_work.told(at_work.acme)][-2:] == [["viewer"], []]

    def test_that_own_the_workspace_stay(self, at_work: Directories):
        at_work.doors.member("boss@acme.example", at_work.acme, "owner")
        user = at_work.customer.create("boss@acme.example").body["id"]
        assert at_work.customer.active(user, False).status == 200
        assert at_work.member("boss@acme.example") == ("owner", "active")

    def test_are_refused_with_the_user_when_the_plan_is_full(self, at_work: Directories):
        at_work.installation.cell("UPDATE cell.tenant SET limits = '{\"members\": 1}' WHERE id = %s", at_work.acme.id)
        try:
            refused = at_work.customer.create("one.too.many@acme.example")
        finally:
            at_work.installation.cell("UPDATE cell.tenant SET limits = NULL WHERE id = %s", at_work.acme.id)
        assert refused.status == 409
        assert at_work.customer.create("one.too.many@acme.example").status == 201


class TestInterrupted:
    def test_a_deactivation_that_the_cell_misses_has_ended_the_session_and_is_finished_later(
        self, at_work: Directories, monkeypatch: pytest.MonkeyPatch
    ):
        directory, email = at_work.northwind, "ivo@northwind.example"
        user = directory.create(email).body["id"]
        browser = at_work.doors.browser()
        at_work.doors.sign_in(browser, email)
        with monkeypatch.context() as away:
            away.setattr("app.identity.scim.effects.open_work", _refuse)
            assert directory.active(user, False).status == 503
        assert browser.get("/").headers["location"][:8] == "/sign-in"
        at_work.installation.control("UPDATE control.directory_user SET changed_at = now() - interval '1 minute'")
        settle_all(at_work.doors.runtime)
        assert at_work.roles(email) == set()
        assert directory.get(f"/Users/{user}").body["active"] is False

    def test_a_home_hears_of_it_once_when_control_forgets(self, at_work: Directories, monkeypatch: pytest.MonkeyPatch):
        """The home has committed, control has not: done again, the trail says nothing twice."""
        directory, home = at_work.northwind, at_work.homes[at_work.doors.northwind]
        before = len(at_work.told(home))
        with monkeypatch.context() as dying:
            dying.setattr("app.identity.scim.effects.insert", _refuse)
            assert directory.create("kim@northwind.example").status == 201  # accepted; access follows
        assert at_work.roles("kim@northwind.example") == set()
        user = directory.get('/Users?filter=userName%20eq%20"kim@northwind.example"').body["Resources"][0]
        assert directory.active(user["id"], True).status == 200
        assert at_work.roles("kim@northwind.example") == {"csm"}
        assert len(at_work.told(home)) == before + 1

    def test_two_who_create_one_user_at_once_make_one(self, at_work: Directories):
        statuses: list[int] = []
        gate = threading.Barrier(4)

        def create() -> None:
            gate.wait()
            statuses.append(at_work.northwind.create("Liv@Northwind.example").status)

        threads = [threading.Thread(target=create) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [201, 409, 409, 409]
        assert at_work.northwind.create("liv@northwind.EXAMPLE").body["scimType"] == "uniqueness"


class TestPeopleOfOthers:
    """A person is known to the installation once; a directory gives them work, and owns nothing of them."""

    def test_stay_as_they_are_when_a_directory_names_their_address(self, at_work: Directories):
        email = "owner@contoso.example"
        at_work.doors.staff(email, at_work.doors.contoso, "partner_owner")
        at_work.doors.sign_in(at_work.doors.browser("contoso.localhost"), email)
        before = at_work.person(email)
        user = at_work.northwind.create(email, displayName="Mallory", preferredLanguage="de").body["id"]
        assert at_work.person(email) == before
        assert at_work.roles(email) == {"csm"}

        renamed = {"op": "replace", "path": "userName", "value": "mallory@evil.example"}
        assert at_work.northwind.patch(f"/Users/{user}", renamed).status == 200
        assert at_work.person(email) == before
        assert at_work.roles(email) == set()
        assert at_work.person("mallory@evil.example").id != before.id
        assert at_work.roles(email, at_work.doors.contoso) == {"partner_owner"}
        assert at_work.sessions(email, at_work.doors.contoso) == 1  # nobody signed them out of their own house

    def test_follow_to_a_new_address_only_while_nobody_else_knows_them(self, at_work: Directories):
        directory, first = at_work.northwind, "mia@northwind.example"
        user = directory.create(first).body["id"]
        person = at_work.person(first).id

        def move(address: str) -> None:
            said = {"op": "replace", "path": "userName", "value": address}
            assert directory.patch(f"/Users/{user}", said).status == 200

        move("mia.long@northwind.example")
        assert at_work.person("mia.long@northwind.example").id == person
        at_work.doors.staff("mia.long@northwind.example", at_work.doors.contoso, "auditor")
        move("mia@evil.example")
        assert at_work.person("mia.long@northwind.example").id == person
        assert at_work.person("mia@evil.example").id != person
        assert at_work.roles("mia.long@northwind.example") == set()

    def test_are_not_moved_once_they_hold_what_somebody_gave_by_hand(self, at_work: Directories):
        directory, email = at_work.northwind, "nils@northwind.example"
        user = directory.create(email).body["id"]
        at_work.doors.staff(email, at_work.doors.northwind, "partner_owner")
        said = {"op": "replace", "path": "userName", "value": "nils@evil.example"}
        assert directory.patch(f"/Users/{user}", said).status == 200
        assert at_work.roles("nils@evil.example") == {"csm"}
        assert at_work.roles(email) == {"partner_owner"}

    def test_are_not_moved_by_a_customer_s_directory_that_did_not_make_them_owner(self, at_work: Directories):
        directory, email = at_work.customer, "olga@acme.example"
        user = directory.create(email).body["id"]
        person = at_work.person(email).id
        at_work.installation.rows(at_work.acme, "UPDATE {}.member SET role = 'owner' WHERE email = %s", email)
        said = {"op": "replace", "path": "userName", "value": "olga@evil.example"}
        assert directory.patch(f"/Users/{user}", said).status == 200
        assert at_work.person(email).id == person
        assert at_work.member(email) == ("owner", "active")
        assert at_work.member("olga@evil.example") == ("viewer", "active")

    def test_of_the_partner_are_not_signed_out_by_a_customer_s_directory(self, at_work: Directories):
        email = "pia@northwind.example"
        at_work.doors.staff(email, at_work.doors.northwind, "partner_admin")
        at_work.doors.sign_in(at_work.doors.browser(), email)
        user = at_work.customer.create(email).body["id"]
        assert at_work.customer.send("DELETE", f"/Users/{user}").status == 204
        assert at_work.sessions(email) == 1
        assert at_work.member(email) == ("viewer", "removed")
        assert at_work.roles(email) == {"partner_admin"}

    def test_two_users_of_one_directory_are_not_one_person(self, at_work: Directories):
        mail = [{"value": "same@northwind.example", "type": "work"}]
        assert at_work.northwind.create("same-1", emails=mail).status == 201
        refused = at_work.northwind.create("same-2", emails=mail)
        assert (refused.status, refused.body["scimType"]) == (409, "uniqueness")


def test_a_customer_s_users_are_not_the_partner_s(at_work: Directories):
    """Each directory sees its own users and groups, whoever's host it shares."""
    user = at_work.customer.create("quinn@acme.example").body["id"]
    group = at_work.customer.group("Everybody", user)
    for directory in (at_work.northwind, at_work.contoso):
        assert directory.get(f"/Users/{user}").status == 404
        assert directory.active(user, False).status == 404
        assert directory.send("DELETE", f"/Groups/{group}").status == 404
        body = {"schemas": [f"{CORE}Group"], "displayName": "Theirs", "members": [{"value": user}]}
        assert directory.send("POST", "/Groups", body).body["scimType"] == "invalidValue"
    assert at_work.member("quinn@acme.example") == ("viewer", "active")


def _refuse(*_: object, **__: object) -> None:
    raise DatabaseAway("The database cannot be reached right now.")


def test_a_group_counts_the_people_who_may_come_in(at_work: Directories):
    """What `find_visit` reads of a group is nobody who was deactivated, and nobody who is no person yet."""
    directory = at_work.northwind
    user, nobody = directory.create("rex@northwind.example").body["id"], directory.create("no-mail").body["id"]
    group = directory.group("Counted", user, nobody)

    def counted() -> list[object]:
        query = "SELECT person_id FROM control.staff_group_member WHERE group_id = %s AND person_id IS NOT NULL"
        return [row.person_id for row in at_work.installation.control(query, group)]

    assert counted() == [at_work.person("rex@northwind.example").id]
    directory.active(user, False)
    assert counted() == []
    directory.active(user, True)
    assert len(counted()) == 1
    assert directory.send("DELETE", f"/Users/{user}").status == 204
    assert counted() == []


def test_an_erased_tenant_s_directory_leaves_nothing_of_its_people(at_work: Directories):
    tenant = at_work.installation.tenant(at_work.doors.northwind, "Gone", kind="customer")
    directory = at_work.make(at_work.doors.northwind, "northwind.localhost", tenant=tenant, default_role="viewer")
    active, inactive = (directory.create(f"{name}@gone.example").body["id"] for name in ("in", "out"))
    directory.active(inactive, False)
    directory.group("All", active, inactive)
    at_work.installation.control("SELECT control.forget_tenant(%s)", tenant.id)
    assert (
        at_work.installation.control("SELECT 1 FROM control.person WHERE email LIKE '%%@gone.example' AND %s", True)
        == []
    )
    for table in ("directory_user", "directory_request"):
        query = f"SELECT 1 FROM control.{table} WHERE directory_id = %s"  # noqa: S608 - our own names
        assert at_work.installation.control(query, directory.id) == []
    assert directory.get("/Users").status == 401


def test_one_who_is_refused_keeps_none_of_the_others_waiting(at_work: Directories):
    """A group of a full workspace gets its role: two belong to it already, one cannot, and all is looked at."""
    tenant = at_work.installation.tenant(at_work.doors.northwind, "Full", kind="customer")
    directory = at_work.make(at_work.doors.northwind, "northwind.localhost", tenant=tenant)
    users = [directory.create(f"{name}@full.example").body["id"] for name in ("one", "two", "three")]
    group = directory.group("Everybody", *users)
    at_work.role(group, "viewer")
    at_work.installation.cell("UPDATE cell.tenant SET limits = '{\"members\": 2}' WHERE id = %s", tenant.id)
    renamed = {"op": "replace", "path": "members", "value": []}
    join = {"op": "add", "path": "members", "value": [{"value": user} for user in users]}
    assert directory.patch(f"/Groups/{group}", renamed).status == 204
    assert directory.patch(f"/Groups/{group}", join).status == 409
    assert len(at_work.installation.rows(tenant, "SELECT 1 FROM {}.member WHERE state = 'active'")) == 2
    at_work.installation.cell("UPDATE cell.tenant SET limits = NULL WHERE id = %s", tenant.id)
    at_work.installation.control("UPDATE control.directory_user SET changed_at = now() - interval '1 minute'")
    settle_all(at_work.doors.runtime)
    assert len(at_work.installation.rows(tenant, "SELECT 1 FROM {}.member WHERE state = 'active'")) == 3


def test_of_two_wishes_at_once_the_last_one_holds(at_work: Directories):
    """Whatever order they arrive in: what the directory is told of the user is what is true of the person."""
    directory, email = at_work.customer, "sam@acme.example"
    user = directory.create(email).body["id"]
    gate = threading.Barrier(6)

    def wish(active: bool) -> None:  # noqa: FBT001 - the wish itself
        gate.wait()
        directory.active(user, active)

    threads = [threading.Thread(target=wish, args=(bool(number % 2),)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    active = directory.get(f"/Users/{user}").body["active"]
    assert at_work.member(email) == ("viewer", "active" if active else "removed")
    rows = at_work.installation.control("SELECT behind FROM control.directory_user WHERE id = %s", user)
    assert rows[0].behind is False
