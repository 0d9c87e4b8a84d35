"""Service accounts over HTTP: who may make which, what they reach, what the trail says, and that `control` follows."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.bootstrap.wiring import declare_everything
from app.identity.machines.operations.accounts import rest_accounts
from app.kernel.ids import new_id
from tenants.sessions import DatabaseAway
from tenants.tenant import Tenant
from tests.factories.api import API, Caller, Said
from tests.factories.identity.machines import (
    ACCOUNTS,
    READ,
    Software,
    give_key,
    key_of,
    make_account,
    make_software,
)
from tests.factories.installation import person

TENANTS = "/api/v1/tenants"
LOOK = "onboarding:onboarding:read"
pytestmark = pytest.mark.usefixtures("home")


def accounts_of(tenant: Tenant) -> str:
    return f"{TENANTS}/{tenant.id}/service-accounts"


def wanted(roles: list[str], scopes: list[str]) -> dict[str, object]:
    return {"name": "Software", "roles": roles, "scopes": scopes, "reason": "Test"}


def onboarding(caller: Caller, tenant: Tenant) -> Said:
    """An onboarding that is not there: 404 for who may look, 403 for who may not, and 404 of another name outside."""
    return caller.get(f"{TENANTS}/{tenant.id}/onboardings/{new_id()}")


class TestMaking:
    def test_says_in_the_trail_who_and_why_and_nothing_secret(self, api: API, home: Tenant):
        made = make_account(api.admin)
        path = made.headers["location"]
        assert path == f"{ACCOUNTS}/{made.body['id']}"
        give_key(api.admin, made.body["id"], key_of("EdDSA"))
        changed = api.admin.patch(path, {"scopes": [], "reason": "Too much"}, version="*")
        assert changed.body["scopes"] == []
        api.admin.send("DELETE", f"{path}?reason=Over", None, {})
        entries = api.installation.rows(
            home,
            "SELECT action, actor_name, reason, body FROM {}.trail WHERE subject_id = %s ORDER BY id",
            made.body["id"],
        )
        assert [(row.action.removeprefix("identity.service_"), row.reason) for row in entries] == [
            ("account.created", "Test"),
            ("credential.added", "Test"),
            ("account.changed", "Too much"),
            ("account.changed", "Over"),
        ]
        assert {row.actor_name for row in entries} == {"Ada@Northwind.Example"}
        assert entries[2].body["before"] == {"scopes": [READ]}
        assert api.admin.get(path).problem == "account-unknown"
        assert made.body["id"] not in [one["id"] for one in api.admin.get(ACCOUNTS).body["items"]]

    @pytest.mark.parametrize(
        ("roles", "scopes", "problem"),
        [
            (["partner_owner"], [READ], "beyond-yours"),
            (["auditor"], [READ], "beyond-yours"),
            (["operator"], [READ], "beyond-yours"),
            (["csm"], ["tenancy:tenant:create"], "scopes-unfit"),
            (["onboarding_lead"], ["onboarding:gate:decide"], "scopes-unfit"),
            (["csm"], ["tenancy:tenant:*"], "body-unfit"),
            (["csm"], ["made:up:scope"], "scopes-unfit"),
            (["viewer"], [LOOK], "roles-unfit"),
            (["nobody"], [], "roles-unfit"),
            (["csm", "csm"], [READ], "roles-unfit"),
            ([], [], "body-unfit"),
        ],
    )
    def test_gives_nothing_that_is_not_held_or_that_needs_a_person(self, api: API, roles, scopes, problem):
        before = api.admin.get(ACCOUNTS).body
        assert api.admin.post(ACCOUNTS, wanted(roles, scopes)).problem == problem
        assert api.admin.get(ACCOUNTS).body == before

    def test_is_for_those_with_the_right_to(self, api: API, home: Tenant, acme: Tenant):
        lead = api.caller("lea@northwind.example", api.doors.northwind, "csm")
        auditor = api.caller("aud@northwind.example", api.doors.northwind, "auditor")
        path = make_account(api.admin).headers["location"]
        assert lead.get(ACCOUNTS).problem == lead.post(ACCOUNTS, wanted(["csm"], [READ])).problem == "not-permitted"
        assert auditor.get(path).status == 200
        assert auditor.patch(path, {"name": "x", "reason": "x"}, version="*").problem == "not-permitted"
        assert api.stranger().get(ACCOUNTS).problem == "not-signed-in"
        assert "www-authenticate" in api.stranger().get(ACCOUNTS).headers

    def test_twice_with_one_key_makes_one_and_at_once_too(self, api: API, home: Tenant):
        key = new_id().hex
        with ThreadPoolExecutor(3) as pool:
            said = list(pool.map(lambda _n: api.admin.post(ACCOUNTS, wanted(["csm"], [READ]), key=key), range(3)))
        assert {answer.status for answer in said} == {201}
        assert len({answer.body["id"] for answer in said}) == 1

    def test_of_another_partners_account_is_impossible(self, api: API, cora: Caller):
        path = make_account(api.admin).headers["location"]
        assert cora.get(path).problem == "account-unknown"
        assert cora.patch(path, {"name": "x", "reason": "x"}, version="*").problem == "account-unknown"
        assert cora.send("DELETE", f"{path}?reason=x", None, {}).problem == "account-unknown"
        given = cora.post(f"{path}/credentials", {"kind": "secret", "reason": "x"})
        assert given.problem == "account-unknown"


class TestCredential:
    def test_shows_its_secret_once(self, api: API):
        path, key = f"{make_account(api.admin).headers['location']}/credentials", new_id().hex
        first = api.admin.post(path, {"kind": "secret", "reason": "x", "days": 10}, key=key)
        again = api.admin.post(path, {"kind": "secret", "reason": "x", "days": 10}, key=key)
        assert len(first.body["secret"]) == 43
        assert first.body["secret"].endswith(first.body["credential"]["hint"])
        assert (again.status, again.body["secret"]) == (201, None)
        assert again.headers["idempotency-replayed"] == "true"
        assert first.body["credential"]["state"] == "expiring"

    def test_gives_nobody_the_power_of_an_account_above_them(self, api: API, home: Tenant):
        """Whoever adds a secret to an account can do what it can."""
        owner = api.caller("own@northwind.example", api.doors.northwind, "partner_owner")
        path = make_account(owner, roles=("partner_owner",), scopes=("tenancy:tenant:import",)).headers["location"]
        for said in (
            api.admin.post(f"{path}/credentials", {"kind": "secret", "reason": "x"}),
            api.admin.patch(path, {"name": "Mine", "reason": "x"}, version="*"),
        ):
            assert (said.status, said.problem) == (403, "beyond-yours")
        assert api.admin.patch(path, {"state": "disabled", "reason": "x"}, version="*").status == 200
        assert api.admin.patch(path, {"state": "active", "reason": "x"}, version="*").problem == "beyond-yours"

    @pytest.mark.parametrize(
        "key",
        [
            {"kty": "oct", "k": "c2VjcmV0"},
            {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
            {"kty": "EC", "crv": "P-384", "x": "A" * 64, "y": "A" * 64},
            {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
            {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
            {"kty": "RSA"},
            {"keys": []},
            {},
            None,
        ],
    )
    def test_takes_only_keys_that_are_public_and_strong(self, api: API, key):
        path = f"{make_account(api.admin).headers['location']}/credentials"
        said = api.admin.post(path, {"kind": "key", "public_key": key, "reason": "x"})
        assert (said.status, said.problem) == (422, "key-unfit")

    def test_refuses_a_private_key_and_keeps_nothing_of_it(self, api: API, home: Tenant):
        pair = key_of("EdDSA")
        path = f"{make_account(api.admin).headers['location']}/credentials"
        said = api.admin.post(path, {"kind": "key", "public_key": pair.as_dict(private=True), "reason": "x"})
        assert said.problem == "key-unfit"
        assert "private" in said.body["detail"]
        kept = api.installation.rows(home, "SELECT service::text AS x FROM {}.member WHERE kind = 'service'")
        assert pair.as_dict(private=True)["d"] not in str(kept)

    def test_takes_a_set_of_one_and_each_key_once(self, api: API):
        pair = key_of("ES256").as_dict(private=False)
        path = f"{make_account(api.admin).headers['location']}/credentials"
        wanted_key = {"kind": "key", "reason": "x", "public_key": {"keys": [pair | {"kid": "1", "use": "sig"}]}}
        assert api.admin.post(path, wanted_key).status == 201
        assert api.admin.post(path, wanted_key).problem == "key-unfit"

    def test_of_several_at_once_no_third_comes_about(self, api: API):
        path = f"{make_account(api.admin).headers['location']}/credentials"
        with ThreadPoolExecutor(4) as pool:
            said = list(pool.map(lambda _n: api.admin.post(path, {"kind": "secret", "reason": "x"}).status, range(4)))
        assert sorted(said) == [201, 201, 409, 409]


class TestVersion:
    def test_that_was_read_is_asked_for(self, api: API):
        made = make_account(api.admin)
        path, version = made.headers["location"], made.headers["etag"]
        assert api.admin.patch(path, {"name": "A", "reason": "x"}, version=None).status == 428
        changed = api.admin.patch(path, {"name": "A", "reason": "x"}, version=version)
        assert (changed.status, changed.body["name"]) == (200, "A")
        stale = api.admin.patch(path, {"name": "B", "reason": "x"}, version=version)
        assert (stale.status, stale.problem) == (412, "account-stale")
        same = api.admin.patch(path, {"name": "A", "reason": "x"}, version="*")
        assert same.headers["etag"] == changed.headers["etag"]


class TestReach:
    def test_of_a_partners_account_goes_as_far_as_the_customers_delegation(
        self, api: API, acme: Tenant, umbrella: Tenant
    ):
        able = make_software(api, api.admin, scopes=(READ, LOOK)).caller()
        assert onboarding(able, acme).problem == "onboarding-missing"
        narrow = make_software(api, api.admin, scopes=(READ,)).caller()
        assert (onboarding(narrow, acme).status, onboarding(narrow, acme).problem) == (403, "not-permitted")
        other = make_software(api, api.admin, roles=("finance",), scopes=(LOOK,)).caller()
        assert onboarding(other, acme).problem == "nothing-here"
        assert onboarding(able, umbrella).problem == "nothing-here"
        api.installation.rows(acme, "UPDATE {}.delegation SET state = 'revoked'")
        assert onboarding(able, acme).problem == "nothing-here"
        api.installation.rows(acme, "UPDATE {}.delegation SET state = 'active'")
        assert onboarding(able, acme).problem == "onboarding-missing"

    def test_of_a_workspaces_account_is_that_workspace(
        self, api: API, acme: Tenant, umbrella: Tenant, home: Tenant, olga: Caller
    ):
        mine = make_software(api, olga, path=accounts_of(acme), roles=("viewer",), scopes=(LOOK,))
        caller = mine.caller()
        assert onboarding(caller, acme).problem == "onboarding-missing"
        assert onboarding(caller, umbrella).problem == onboarding(caller, home).problem == "nothing-here"
        other = api.installation.tenant(api.doors.northwind, "Globex", kind="customer")
        assert onboarding(caller, other).problem == "nothing-here"
        assert caller.get(TENANTS).problem == caller.get(ACCOUNTS).problem == "nothing-here"

    def test_of_a_workspaces_account_ends_with_its_own_row_whatever_control_says(
        self, api: API, acme: Tenant, olga: Caller
    ):
        """The tenant's own row decides in its transaction: `control` may lag behind."""
        mine = make_software(api, olga, path=accounts_of(acme), roles=("viewer",), scopes=(LOOK,))
        caller = mine.caller()
        for state in ("disabled", "removed"):
            query = "UPDATE {}.member SET state = %s WHERE person_id = %s"
            api.installation.rows(acme, query, state, mine.client_id)
            assert onboarding(caller, acme).problem == "nothing-here"

    def test_of_a_workspaces_account_is_given_by_its_own_people_only(self, api: API, acme: Tenant, olga: Caller):
        api.doors.delegation(acme, '["partner_admin"]')
        said = api.admin.post(accounts_of(acme), wanted(["viewer"], [LOOK]))
        assert (said.status, said.problem) == (403, "not-permitted")  # no delegation carries this right
        api.doors.member("mia@acme.example", acme, "admin")
        browser = api.doors.browser()
        api.doors.sign_in(browser, "mia@acme.example", proved=True)
        mia = Caller(browser)
        assert mia.post(accounts_of(acme), wanted(["owner"], [LOOK])).problem == "beyond-yours"
        assert mia.post(accounts_of(acme), wanted(["contributor"], [LOOK])).status == 201
        assert olga.post(accounts_of(acme), wanted(["viewer", "admin"], [])).problem == "roles-unfit"
        contributor = api.doors.browser()
        api.doors.member("con@acme.example", acme)
        api.doors.sign_in(contributor, "con@acme.example", proved=True)
        assert Caller(contributor).get(accounts_of(acme)).problem == "not-permitted"

    def test_does_not_count_as_a_person(self, api: API, olga: Caller):
        tenant = api.installation.tenant(api.doors.northwind, "Small", kind="customer")
        api.doors.member("sol@small.example", tenant, "owner")
        browser = api.doors.browser()
        api.doors.sign_in(browser, "sol@small.example", proved=True)
        make_software(api, Caller(browser), path=accounts_of(tenant), roles=("viewer",), scopes=(LOOK,))
        query = "SELECT count(*) AS n FROM {}.member WHERE kind IS DISTINCT FROM 'service'"
        assert api.installation.rows(tenant, query)[0].n == 1

    def test_does_not_open_the_home_by_the_path_of_a_workspace(self, api: API, home: Tenant):
        assert api.admin.get(accounts_of(home)).problem == "nothing-here"

    def test_of_software_that_makes_software_is_no_wider_than_itself(self, api: API):
        maker = make_software(
            api,
            api.admin,
            roles=("partner_admin",),
            scopes=("identity:service:manage", "audit:trail:read", READ),
        ).caller()
        assert maker.post(ACCOUNTS, wanted(["csm"], [READ])).status == 201
        assert maker.post(ACCOUNTS, wanted(["csm"], [LOOK])).problem == "beyond-yours"
        wide = make_account(api.admin, scopes=(READ, LOOK)).headers["location"]
        assert maker.post(f"{wide}/credentials", {"kind": "secret", "reason": "x"}).problem == "beyond-yours"

    def test_is_no_second_person(self, api: API):
        software = make_software(
            api, api.admin, roles=("partner_admin",), scopes=("tenancy:tenant:erase", READ, "tenancy:tenant:create")
        ).caller()
        path = software.post(TENANTS, {"name": "To go"}).headers["location"]
        assert api.admin.post(f"{path}/erasure", {"reason": "x"}).status == 200
        said = software.post(f"{path}/erasure/approval", {"reason": "x"})
        assert (said.status, said.problem) == (403, "person-needed")


class TestControl:
    """The tenant's row is first: whatever happens after its commit, `control` gets there."""

    def test_follows_later_where_it_could_not_be_told(self, api: API, home: Tenant, monkeypatch: pytest.MonkeyPatch):
        declare_everything()
        made = make_account(api.admin)
        path = f"{made.headers['location']}/credentials"

        def away(*_: object, **__: object) -> None:
            raise DatabaseAway("The database cannot be reached right now.")

        with monkeypatch.context() as broken:
            broken.setattr("app.identity.machines.operations.following._copy", away)
            given = api.admin.post(path, {"kind": "secret", "reason": "x"})
        assert given.status == 201
        software = Software(api, made.body["id"], given.body["secret"])
        with pytest.raises(Exception, match="invalid_client"):
            software.fetch()
        api.installation.run_due()
        assert software.caller().get(TENANTS).status == 200

    def test_does_not_go_back_when_it_is_told_out_of_order(self, api: API, home: Tenant):
        declare_everything()
        software = make_software(api, api.admin)
        path = f"{ACCOUNTS}/{software.client_id}"
        old = api.installation.rows(home, "SELECT service FROM {}.member WHERE person_id = %s", software.client_id)[0]
        api.admin.send("DELETE", f"{path}?reason=Over", None, {})
        before = api.installation.control("SELECT * FROM control.service_account WHERE id = %s", software.client_id)
        api.installation.rows(
            home,
            "UPDATE {}.member SET service = %s::jsonb, state = 'active' WHERE person_id = %s",
            json.dumps(old.service),
            software.client_id,
        )
        api.installation.run_due()
        after = api.installation.control("SELECT * FROM control.service_account WHERE id = %s", software.client_id)
        assert after == before
        assert before[0].state == "removed"

    def test_forgets_the_accounts_of_a_workspace_that_is_erased(self, api: API):
        made = api.admin.post(TENANTS, {"name": "Gone soon"}).body
        tenant = api.installation.control("SELECT * FROM control.tenant WHERE id = %s", made["id"])[0]
        where = Tenant(
            tenant.id, tenant.organisation_id, tenant.kind, tenant.name, tenant.cell_name, tenant.schema_name,
            tenant.role_name, tenant.gateway, tenant.state,
        )  # fmt: skip
        api.doors.member("gus@gone.example", where, "owner")
        browser = api.doors.browser()
        api.doors.sign_in(browser, "gus@gone.example", proved=True)
        software = make_software(api, Caller(browser), path=accounts_of(where), roles=("viewer",), scopes=(LOOK,))
        caller = software.caller()
        path = f"{TENANTS}/{made['id']}/erasure"
        api.admin.post(path, {"reason": "x"})
        ben = api.caller("ben@northwind.example", api.doors.northwind)
        assert ben.post(f"{path}/approval", {"reason": "x"}).body["state"] == "dropped"
        assert caller.get(TENANTS).status == 401
        for table, column in (("service_account", "id"), ("service_credential", "account_id")):
            query = f"SELECT FROM control.{table} WHERE {column} = %s"
            assert not api.installation.control(query, software.client_id)

    def test_lets_software_rest_in_a_workspace_that_moved(self, api: API, acme: Tenant, olga: Caller):
        declare_everything()
        software = make_software(api, olga, path=accounts_of(acme), roles=("viewer",), scopes=(LOOK,))
        caller = software.caller()
        with api.installation.work(acme, person()) as work:
            rest_accounts(work, reason="Moved")
        api.installation.run_due()
        assert caller.get(TENANTS).status == 401
        shown = olga.get(f"{accounts_of(acme)}/{software.client_id}").body
        assert (shown["state"], shown["credentials"]) == ("disabled", [])
