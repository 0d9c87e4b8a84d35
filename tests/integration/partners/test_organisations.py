"""Organisations in their tree, hosts, brands and roles: made once, seen by those above, and by nobody beside."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from app.identity.operations import ensure_person
from app.identity.queries import list_assignments
from app.partners.brand import Brand
from app.partners.models import Organisation
from app.partners.operations import (
    NameTaken,
    NameUnusable,
    NewOrganisation,
    assign_role,
    create_organisation,
    set_brand,
    take_role,
)
from app.partners.queries import NoSite, SiteDirectory
from app.partners.rules import PLATFORM
from app.web.frame import HelpContact, Legal, Link
from tenants.sessions import lookup_session, partner_session
from tests.factories.installation import person

ANN = person()


@pytest.fixture
def tree(installation):
    """Platform over a distributor over a reseller, and a partner beside them."""
    made: dict[str | None, UUID] = {}
    for slug, parent in (("platform", None), ("distri", "platform"), ("resell", "distri"), ("beside", "platform")):
        kind = PLATFORM if parent is None else "partner"
        wanted = NewOrganisation(slug=slug, name=slug.title(), kind=kind, parent_id=made.get(parent))
        made[slug] = create_organisation(installation.databases, ANN, wanted)
    return made


def below(installation, organisation_id):
    with partner_session(installation.databases, organisation_id, actor=ANN.label) as (session, _now):
        return list(session.scalars(select(Organisation.slug).order_by(Organisation.slug)))


def site(directory, host):
    found = directory.find_site(host)
    assert found
    return found


class TestCreateOrganisation:
    def test_gives_it_a_place_that_those_above_see(self, installation, tree):
        assert below(installation, tree["platform"]) == ["beside", "distri", "platform", "resell"]
        assert below(installation, tree["distri"]) == ["distri", "resell"]
        assert below(installation, tree["resell"]) == ["resell"]

    def test_gives_it_a_host(self, installation, tree):
        directory = SiteDirectory(installation.databases)
        assert site(directory, "resell.localhost").organisation_id == tree["resell"]
        assert site(directory, "localhost").kind == PLATFORM
        assert directory.site_of(tree["distri"]).host == "distri.localhost"

    def test_is_the_same_one_when_called_again_also_at_once(self, installation, tree):
        wanted = NewOrganisation(slug="twice", name="Twice", parent_id=tree["platform"])
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _n: create_organisation(installation.databases, ANN, wanted), range(4)))
        assert len(set(made)) == 1
        assert len(installation.control("SELECT FROM control.org_edge WHERE descendant_id = %s", made[0])) == 2

    def test_refuses_a_short_name_that_stands_for_another(self, installation, tree):
        wanted = NewOrganisation(slug="resell", name="Other", parent_id=tree["platform"], host="other.example")
        with pytest.raises(NameTaken):
            create_organisation(installation.databases, ANN, wanted)
        assert installation.control("SELECT FROM control.host WHERE name = 'other.example'") == []

    def test_refuses_a_host_of_another_and_leaves_nothing(self, installation, tree):
        wanted = NewOrganisation(slug="thief", name="Thief", parent_id=tree["platform"], host="resell.localhost")
        with pytest.raises(NameTaken):
            create_organisation(installation.databases, ANN, wanted)
        assert "thief" not in below(installation, tree["platform"])

    @pytest.mark.parametrize(
        "wrong",
        [
            {"slug": "Upper"},
            {"slug": "a"},
            {"slug": "a b"},
            {"slug": "localhost"},
            {"slug": "-a"},
            {"name": "  "},
            {"host": "UPPER.example"},
            {"host": "a.example:80"},
            {"host": "a.example."},
            {"host": "10.0.0.1"},
            {"host": "a/b"},
            {"parent_id": None},
            {"kind": PLATFORM},
        ],
    )
    def test_refuses_what_cannot_be_a_name_a_host_or_a_place(self, installation, tree, wrong):
        fine = {"slug": "fine", "name": "Fine", "parent_id": tree["platform"]}
        with pytest.raises(NameUnusable):
            create_organisation(installation.databases, ANN, NewOrganisation(**(fine | wrong)))

    def test_refuses_a_parent_that_does_not_exist(self, installation, tree):
        with pytest.raises(NameUnusable):
            create_organisation(
                installation.databases, ANN, NewOrganisation(slug="orphan", name="Orphan", parent_id=ANN.id)
            )


class TestSetBrand:
    def test_shows_on_the_host_with_whom_to_ask_and_who_stands_behind_it(self, installation, tree):
        legal = Legal("Resell Ltd", "1 Road, Town", (Link("Imprint", "/imprint"),))
        contact = HelpContact("Dana", "dana@resell.example", phone="+1 234")
        brand = Brand(name="Resell", accent="#c2255c", radius=3)
        version = set_brand(installation.databases, ANN, tree["resell"], brand, legal=legal, contact=contact)
        directory = SiteDirectory(installation.databases)
        shown = site(directory, "resell.localhost").brand
        assert (shown.name, shown.version, shown.legal_name) == ("Resell", version, "Resell Ltd")
        assert (shown.help, shown.links) == (contact, legal.links)
        assert directory.find_brand("resell.localhost") == brand

    def test_is_replaced_as_a_whole(self, installation, tree):
        first = set_brand(installation.databases, ANN, tree["resell"], Brand(name="One", accent="#112233"))
        second = set_brand(installation.databases, ANN, tree["resell"], Brand(name="Two", accent="#c2255c"))
        assert first != second
        assert site(SiteDirectory(installation.databases), "resell.localhost").brand.name == "Two"

    def test_of_another_organisation_is_refused_by_the_database(self, installation, tree):
        with (
            pytest.raises(ProgrammingError, match="row-level security"),
            partner_session(installation.databases, tree["beside"], actor="test") as (session, now),
        ):
            session.execute(
                text("INSERT INTO control.brand VALUES (:org, 'x', '{}', :now)"), {"org": tree["resell"], "now": now}
            )

    def test_that_was_never_set_is_a_quiet_one_with_the_name(self, installation, tree):
        assert site(SiteDirectory(installation.databases), "resell.localhost").brand.name == "Resell"


class TestRoles:
    def test_count_in_the_organisation_and_below_it_only(self, installation, tree):
        dana = ensure_person(installation.databases, email="Dana@X.example", name="Dana", locale="en")
        assign_role(installation.databases, ANN, person_id=dana, organisation_id=tree["distri"], role="csm")
        assign_role(installation.databases, ANN, person_id=dana, organisation_id=tree["distri"], role="csm")
        with lookup_session(installation.databases) as (session, _now):
            found = {slug: [one.role for one in list_assignments(session, dana, tree[slug])] for slug in tree}
        assert found == {"platform": [], "distri": ["csm"], "resell": ["csm"], "beside": []}

    def test_are_gone_once_taken(self, installation, tree):
        dana = ensure_person(installation.databases, email="dana@x.example", name="Dana", locale="en")
        for change in (assign_role, take_role):
            change(installation.databases, ANN, person_id=dana, organisation_id=tree["distri"], role="csm")
        with lookup_session(installation.databases) as (session, _now):
            assert list_assignments(session, dana, tree["distri"]) == []


class TestEnsurePerson:
    def test_knows_a_person_once_in_any_spelling_also_at_once(self, installation, tree):
        spellings = ["Dana@X.example", " dana@x.example", "DANA@X.EXAMPLE ", "dana@x.example"]

        def ensure(spelling):
            return ensure_person(installation.databases, email=spelling, name="Dana", locale="en")

        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(ensure, spellings))) == 1


class TestSiteDirectory:
    def test_has_no_site_for_an_organisation_without_a_host(self, installation, tree):
        installation.control("DELETE FROM control.host WHERE organisation_id = %s", tree["resell"])
        with pytest.raises(NoSite):
            SiteDirectory(installation.databases).site_of(tree["resell"])

    def test_prefers_a_domain_of_its_own_for_links(self, installation, tree):
        installation.control("INSERT INTO control.host VALUES ('onboarding.resell.example', %s)", tree["resell"])
        assert SiteDirectory(installation.databases).site_of(tree["resell"]).host == "onboarding.resell.example"


class TestBrandFiles:
    def test_may_be_kept_for_ever_under_the_hash_of_their_content(self, doors):
        browser = doors.browser()
        address = browser.get("/sign-in").text.split('rel="stylesheet" href="')[1].split('"')[0]
        sheet = browser.get(address)
        assert (sheet.status, sheet.headers["content-type"]) == (200, "text/css; charset=utf-8")
        assert sheet.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "--brand-accent" in sheet.text
        mark = browser.get(address.replace(".css", ".svg"))
        assert (mark.status, mark.headers["content-type"]) == (200, "image/svg+xml")

    def test_of_another_brand_are_not_there(self, doors):
        address = doors.browser().get("/sign-in").text.split('rel="stylesheet" href="')[1].split('"')[0]
        assert doors.browser("contoso.localhost").get(address).status == 404

    def test_are_new_at_once_when_the_brand_has_changed(self, doors):
        browser = doors.browser()
        browser.get("/sign-in")
        brand = Brand(name="<script>", accent="#c2255c")
        version = set_brand(doors.installation.databases, ANN, doors.northwind, brand)
        assert browser.get(f"/brand/{version}.css").status == 200
        assert "<script" not in browser.get("/favicon.ico").text
