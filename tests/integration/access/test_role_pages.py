"""The pages of roles over HTTP: ours in words, a partner's own defined, changed, given to a colleague and removed."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from app.access.pages import AccessPages, RolePages
from app.identity.people.hub import PartnerHub
from app.identity.people.pages import StaffPages
from app.kernel.ids import new_id
from app.kernel.paging import CursorKey
from tests.factories.doors import FRONT_DOORS, Doors

ROOMS = (*FRONT_DOORS, RolePages, StaffPages, PartnerHub, AccessPages)
PATH = "/settings/roles"
GATE, DEAL = "onboarding:gate:decide", "intake:deal:admit"


@pytest.fixture(scope="module")
def doors(shared_installation, doors_redis):
    services: dict[type, object] = {CursorKey: CursorKey(b"k" * 32)}
    served = Doors(shared_installation, redis_url=doors_redis, controllers=ROOMS, services=services)
    served.installation.tenant(served.northwind, "Northwind", kind="home")
    served.installation.tenant(served.contoso, "Contoso", kind="home")
    yield served
    served.close()


def signed_in(doors, name, role, *, proved=True, rival=False):
    house = "contoso" if rival else "northwind"
    doors.staff(f"{name}@{house}.example", getattr(doors, house), role)
    browser = doors.browser(f"{house}.localhost")
    doors.sign_in(browser, f"{name}@{house}.example", proved=proved)
    return browser


@pytest.fixture(scope="module")
def ada(doors):
    return signed_in(doors, "ada", "partner_admin")


def send(browser, path, key="", **fields):
    """A form; a field may have several values."""
    body = urlencode({"command_key": key or str(new_id()), **fields}, doseq=True).encode()
    own = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
    own["origin"] = f"http://{browser.host}:{browser.port}"
    return browser.send("POST", path, body=body, headers=own)


def stored(doors, name):
    query = "SELECT id, base, removed FROM control.custom_role WHERE name = %s AND ended_at IS NULL"
    return doors.installation.control(query, name)


def made(doors, browser, name, *removed, base="onboarding_lead"):
    answer = send(browser, PATH, name=name, base=base, removed=removed)
    assert (answer.status, answer.headers["location"]) == (303, PATH), answer.text
    [row] = stored(doors, name)
    return f"{PATH}/{row.id}"


def version(browser, path):
    return browser.get(path).hidden["version"]


def roles_of(doors, person):
    query = "SELECT role FROM control.assignment WHERE person_id = %s ORDER BY 1"
    return [row.role for row in doors.installation.control(query, person)]


class TestTheList:
    def test_says_what_each_of_ours_may_do_and_leads_to_a_narrower_one(self, ada):
        page = ada.get(PATH).text
        assert "/settings/roles" in ada.get("/settings").text
        for said in ("Partner owner", "No decisions", "decide at gates", "manage service accounts and their keys"):
            assert said in page
        assert f'href="{PATH}/new?base=csm"' in page
        assert f"{PATH}/new?base=no_decisions" not in page

    def test_is_read_by_all_staff_and_changed_by_who_may(self, doors, ada):
        path, carl = made(doors, ada, "Seen by all", GATE), signed_in(doors, "carl", "csm")
        assert "Seen by all" in carl.get(PATH).text
        assert f"{PATH}/new" not in carl.get(PATH).text
        page = carl.get(path)
        assert (page.status, "decide at gates" in page.text, "command_key" in page.text) == (200, True, False)
        assert carl.get(f"{PATH}/new").status == 403
        assert send(carl, PATH, name="Mine", base="csm", removed="intake:deal:read").status == 403
        assert send(carl, path, name="Mine", base="csm", removed="intake:deal:read").status == 403
        assert send(carl, f"{path}/removal").status == 403
        assert stored(doors, "Mine") == []

    def test_of_another_partner_is_not_there(self, doors, ada):
        path, eve = made(doors, ada, "Northwind's own", GATE), signed_in(doors, "eve", "partner_admin", rival=True)
        assert "Northwind&#39;s own" not in eve.get(PATH).text
        assert eve.get(path).status == 404
        assert send(eve, path, name="Taken", base="csm", removed="intake:deal:read", version="*").status == 404
        assert send(eve, f"{path}/removal").status == 404
        assert len(stored(doors, "Northwind's own")) == 1
        assert doors.browser().get(PATH).headers["location"].startswith("/sign-in")


class TestDefining:
    def test_chooses_the_base_by_a_link_and_then_what_is_taken_away(self, doors, ada):
        first = ada.get(f"{PATH}/new").text
        assert 'name="removed"' not in first
        then = ada.get(f"{PATH}/new?base=finance").text
        assert 'value="onboarding:packet:edit"' in then
        assert f'value="{GATE}"' not in then
        assert 'name="removed"' not in ada.get(f"{PATH}/new?base=operator").text
        path = made(doors, ada, "Books", "onboarding:packet:edit", base="finance")
        assert "correct facts that were handed over" in ada.get(path).text

    def test_sent_twice_makes_one(self, doors, ada):
        key = str(new_id())
        both = [send(ada, PATH, key, name="Once", base="csm", removed="intake:deal:read").status for _ in range(2)]
        assert (both, len(stored(doors, "Once"))) == ([303, 303], 1)

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"name": "Kept", "base": "csm"}, "at least one permission of it"),
            ({"name": "Kept", "base": "csm", "removed": GATE}, "at least one permission of it"),
            ({"name": "", "base": "csm", "removed": "intake:deal:read"}, "Fill in this field."),
            ({"name": "Kept", "base": "owner", "removed": "tenancy:tenant:read"}, "at least one permission of it"),
            ({"name": "Kept", "base": "partner_owner", "removed": GATE}, "nobody can give what they do not hold"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_typed(self, ada, fields, said):
        answer = send(ada, PATH, **fields)
        assert answer.status in {403, 422}
        assert said in answer.text
        if fields["base"] != "owner":  # of another role nothing can be shown: it is chosen anew
            assert f'name="name" value="{fields["name"]}"' in answer.text
            assert f'<input type="hidden" name="base" value="{fields["base"]}">' in answer.text
        if fields.get("removed") == "intake:deal:read":
            assert 'value="intake:deal:read" checked' in answer.text

    def test_proposes_to_take_away_what_its_author_does_not_hold(self, ada):
        page = ada.get(f"{PATH}/new?base=partner_owner").text
        assert 'value="audit:trail:keep" checked' in page
        assert "beyond what you may do yourself" in page
        assert f'value="{GATE}" checked' not in page

    def test_without_a_proof_asks_for_it_with_everything_kept(self, doors):
        unproved = signed_in(doors, "una", "partner_admin", proved=False)
        assert unproved.get(f"{PATH}/new?base=csm").status == 200
        asked = send(unproved, PATH, name="Later", base="csm", removed=["intake:deal:read", "insights:dashboard:read"])
        assert (asked.status, stored(doors, "Later")) == (403, [])
        for kept in ("Later", "intake:deal:read", "insights:dashboard:read"):
            assert f'value="{kept}"' in asked.text


class TestChanging:
    def test_acts_from_the_version_that_was_read_and_refuses_an_older_one(self, doors, ada):
        path = made(doors, ada, "Lead", GATE)
        read = version(ada, path)
        assert send(ada, path, name="Lead", base="onboarding_lead", removed=[GATE, DEAL], version=read).status == 303
        late = send(ada, path, name="Typed late", base="onboarding_lead", removed=DEAL, version=read)
        assert late.status == 412
        assert "The role has changed since you read it" in late.text
        assert 'value="Typed late"' in late.text
        assert f'value="{DEAL}" checked' in late.text
        assert f'value="{GATE}" checked' not in late.text
        [row] = stored(doors, "Lead")
        assert row.removed == sorted([GATE, DEAL])
        again = late.hidden["version"]
        answer = send(ada, path, name="Lead two", base="onboarding_lead", removed=DEAL, version=again)
        assert (answer.status, len(stored(doors, "Lead two"))) == (303, 1)

    def test_sent_twice_counts_once(self, doors, ada):
        path, key = made(doors, ada, "Twice", GATE), str(new_id())
        fields = {"name": "Twice", "base": "csm", "removed": "intake:deal:read", "version": version(ada, path)}
        assert [send(ada, path, key, **fields).status for _ in range(2)] == [303, 303]
        assert ada.get(f"{path}?base=auditor").text.count(" checked") == 1, "what both roles have stays taken away"


class TestGiving:
    def test_is_offered_by_name_and_acts_on_the_next_request(self, doors, ada):
        path = made(doors, ada, "Lead <without> gates", GATE)
        called = "Lead &lt;without&gt; gates"
        own = f"custom:{path.rpartition('/')[2]}"
        lea = doors.staff("lea@northwind.example", doors.northwind, "csm")
        colleague = ada.get(f"/people/{lea}").text
        assert f'value="{own}"' in colleague
        assert called in colleague
        assert send(ada, f"/people/{lea}", roles=own, reason="New work").status == 303
        assert roles_of(doors, lea) == [own]
        assert called in ada.get("/people").text
        hers = doors.browser()
        doors.sign_in(hers, "lea@northwind.example")
        acme = doors.installation.tenant(doors.northwind, f"Acme {new_id().hex[-4:]}", kind="customer")
        doors.delegation(acme, '["onboarding_lead"]')
        why = hers.get(f"/t/{acme.id}/access?why={GATE}").text
        assert called in why
        assert "Not allowed" in why
        may = hers.get(f"/t/{acme.id}/access?why=onboarding:onboarding:write").text
        assert "Allowed" in may
        invited = send(ada, "/people", email="new@northwind.example", name="New", roles=["finance", own])
        assert invited.status == 303
        in_use = send(ada, f"{path}/removal")
        assert in_use.status == 409
        assert "People hold this role" in in_use.text
        assert "lea" in in_use.text
        assert len(stored(doors, "Lead <without> gates")) == 1

    def test_gives_nobody_more_than_the_giver_holds(self, doors, ada):
        wide = made(doors, ada, "Wide", GATE, base="partner_admin")
        narrow = made(doors, ada, "Narrow", GATE, DEAL, "onboarding:packet:edit", base="onboarding_lead")
        nora = signed_in(doors, "nora", "partner_admin!onboarding:packet:edit")
        pat = doors.staff("pat@northwind.example", doors.northwind, "implementation")
        offered = nora.get(f"/people/{pat}").text
        assert (wide.rpartition("/")[2] in offered, narrow.rpartition("/")[2] in offered) == (False, True)
        refused = send(nora, f"/people/{pat}", roles=f"custom:{wide.rpartition('/')[2]}")
        assert "may do more than yours" in refused.text
        assert send(nora, f"/people/{pat}", roles=f"custom:{narrow.rpartition('/')[2]}").status == 303
        assert send(ada, f"/people/{pat}", roles=f"custom:{wide.rpartition('/')[2]}").status == 303
        assert "may do more than yours" in send(nora, f"/people/{pat}", roles="csm").text, "nor is it taken away"

    def test_knows_no_role_of_another_partner_and_none_that_is_gone(self, doors, ada):
        eve = signed_in(doors, "eva", "partner_admin", rival=True)
        theirs = made(doors, eve, "Theirs", GATE)
        gus = doors.staff("gus@northwind.example", doors.northwind, "csm")
        for own in (theirs.rpartition("/")[2], str(new_id()), "nonsense"):
            answer = send(ada, f"/people/{gus}", roles=f"custom:{own}")
            assert (answer.status, "Choose one of the offers." in answer.text) == (422, True)
        assert roles_of(doors, gus) == ["csm"]

    def test_calls_a_role_that_is_gone_so(self, doors, ada):
        doors.staff("ghost@northwind.example", doors.northwind, f"custom:{new_id()}")
        page = ada.get("/people").text
        assert "A role that is gone" in page
        assert "custom:" not in page.split('id="invite"')[0]


class TestRemoving:
    def test_of_one_that_nobody_holds_is_for_good_and_counts_once(self, doors, ada):
        path, key = made(doors, ada, "Gone soon", GATE), str(new_id())
        assert "Nobody holds it" in ada.get(path).text
        assert [send(ada, f"{path}/removal", key).status for _ in range(2)] == [303, 303]
        assert ada.get(path).status == send(ada, f"{path}/removal").status == 404
        assert "Gone soon" not in ada.get(PATH).text
