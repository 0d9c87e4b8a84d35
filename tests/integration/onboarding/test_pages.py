"""Every page of running work, drawn from what the product really gives it: words for its reader, no values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from app.onboarding import operations
from app.onboarding.queries import customer, gate, home, partner
from app.onboarding.queries.heading import head
from app.onboarding.queries.picture import get_picture, milestones
from app.web.rendering import render
from app.web.translations import LOCALES, translations
from tenants.tenant import Tenant
from tests.factories.installation import person
from tests.factories.main_job import MainJob
from tests.factories.walker import connect_product, picture_of, walk
from tests.look.brands import VIEWS

GATE = "gate.handoff_quality"
KEY = "0192f0c1-7d1e-7000-8000-000000000001"
RAW = re.compile(
    r"\{&#39;\w|&lt;built-in|datetime\.|UUID\(|&gt;(True|False|None)&lt;|>(True|False|None)<|>\d{4}-\d\d-\d\d<"
)
Running = tuple[Tenant, UUID]


def begin(shop: MainJob, company: str, **more: str | None) -> Running:
    deal = shop.sell(
        company=company, email=f"{company.lower()}@pages.example", sw_nonstandard_terms="No others", **more
    )
    shop.tell(deal)
    shop.run()
    return shop.started(deal)


@pytest.fixture(scope="module")
def waiting(shop: MainJob) -> Running:
    """At its gate, with a hard field missing."""
    return begin(shop, "Waiting", sw_business_outcome=None)


@pytest.fixture(scope="module")
def stuck(shop: MainJob) -> Running:
    """Held by an exception: nobody connected the product."""
    made = begin(shop, "Stuck")
    walk(shop, *made)
    return made


@pytest.fixture(scope="module")
def finished(shop: MainJob) -> Running:
    """All the way through."""
    made = begin(shop, "Finished")
    connect_product(shop, made[0])
    walk(shop, *made)
    return made


def drawn(shop: MainJob, made: Running, language: str) -> Iterator[tuple[str, str]]:
    """The text of every page about the onboarding, in one language."""
    tenant, onboarding_id = made
    own = {"command_key": KEY, "names": {"partner": "Northwind", "customer": tenant.name}}
    with shop.installation.work(tenant, shop.lead) as work:
        seen = get_picture(work, onboarding_id, say=translations(language).gettext, language=language)
        pages = [
            ("partner_onboarding", partner.partner_page(work, seen, view))
            for view in ("plan", "gates", "exceptions", "trail")
        ]
        pages += [("gate_review", gate.gate_page(work, seen, GATE)), ("trace", partner.trace_page(work, seen))]
        pages += [("customer_status", customer.status_page(work, seen)), ("customer_steps", customer.steps_page(seen))]
        theirs = [item.key for item in seen.definition.of_kind("task") if item.side == "customer"]
        pages += [("customer_task", customer.task_page(work, seen, key)) for key in theirs]
        for page, context in pages:
            text = render(
                f"onboarding/{page}.html", context | own, locale=LOCALES[language], brand_view=VIEWS["northwind"]
            )
            yield page, text


def page_of(shop: MainJob, made: Running, page: str, language: str = "en") -> str:
    return " ".join(text for name, text in drawn(shop, made, language) if name == page)


class TestEveryPage:
    @pytest.mark.parametrize("state", ["waiting", "stuck", "finished"])
    @pytest.mark.parametrize("language", LOCALES)
    def test_shows_words_and_no_values_of_the_program(
        self, request: pytest.FixtureRequest, shop: MainJob, state: str, language: str
    ):
        for page, text in drawn(shop, request.getfixturevalue(state), language):
            found = RAW.search(text)
            assert found is None, (page, text[max(0, found.start() - 200) : found.end() + 80])


class TestHome:
    @pytest.mark.parametrize("language", LOCALES)
    def test_shows_what_needs_somebody(self, shop: MainJob, waiting: Running, stuck: Running, language: str):
        shop.run()
        wanted = home.Wanted(say=translations(language).gettext, language=language)
        context = home.home_page(home.get_home(shop.runtime, shop.lead, shop.organisation_id, wanted), wanted)
        brand = VIEWS["northwind"]
        text = render("onboarding/partner_home.html", context, locale=LOCALES[language], brand_view=brand)
        assert RAW.search(text) is None
        assert all(made[0].name in text for made in (waiting, stuck))


class TestAnswers:
    def test_are_shown_as_their_question_offered_them(self, shop: MainJob, finished: Running):
        for page, yes in (("customer_task", "Yes"), ("partner_onboarding", "Yes")):
            text = page_of(shop, finished, page)
            assert "<dd>Microsoft Entra ID</dd>" in text, page
            assert f"<dd>{yes}</dd>" in text, page
            assert "<dd>entra</dd>" not in text, page
        assert "7 Dec 2026</time>" in page_of(shop, finished, "partner_onboarding")

    def test_are_put_before_whoever_decides_a_gate_that_shows_them(self, shop: MainJob, finished: Running):
        tenant, onboarding_id = finished
        with shop.installation.work(tenant, shop.lead) as work:
            shown = gate.gate_page(work, get_picture(work, onboarding_id), "gate.launch")["shown"]
        labels = [fact["label"]["en"] for fact in shown]
        review = picture_of(shop, *finished).item("gate.launch").review
        assert review is not None
        assert len(labels) == len(review.shows)
        [directory] = [fact for fact in shown if fact["spec"]["id"] == "identity"]
        assert directory["value"] == "entra"

    def test_end_with_the_evidence_that_was_given(self, shop: MainJob, finished: Running):
        picture = picture_of(shop, *finished)
        proven = next(item for item in picture.definition.of_kind("task") if picture.of(item.key).evidence)
        asked, given = customer.fields_of(proven), customer.values_of(proven, picture.of(proven.key))
        assert asked[-1]["id"] == "statement"
        assert given["statement"] == "Minutes, signed by both sides"


class TestReason:
    def test_of_what_is_stuck_comes_from_the_exception_that_holds_it(self, shop: MainJob, stuck: Running):
        picture = picture_of(shop, *stuck)
        assert head(picture)["state"] == "stuck"
        assert head(picture)["reason"] == "Integration failure"

    def test_is_told_to_the_customer_without_a_label_of_the_partners_work(self, shop: MainJob, stuck: Running):
        assert "A connection between two systems failed." in page_of(shop, stuck, "customer_status")

    def test_of_what_is_behind_names_the_late_step(self, shop: MainJob, waiting: Running):
        picture = picture_of(shop, *waiting)
        late = replace(picture, now=picture.now + timedelta(days=90))
        assert head(late)["state"] == "behind"
        assert head(late)["reason"] == "No success criteria"
        calm = replace(late, state=msgspec.structs.replace(late.state, exceptions={}))
        assert head(calm)["reason"] == "Late: Handoff quality"

    def test_is_not_given_where_all_goes_well(self, shop: MainJob, finished: Running):
        assert head(picture_of(shop, *finished))["reason"] == ""


class TestWhatWasStopped:
    def test_never_counts_as_reached(self, shop: MainJob):
        tenant, onboarding_id = made = begin(shop, "Stopped")
        with shop.installation.work(tenant, shop.lead) as work:
            decision = {"gate": GATE, "decision": "no_go", "reason": "They changed their mind"}
            operations.decide_gate(work, onboarding_id=onboarding_id, **decision)
        picture = picture_of(shop, *made)
        assert head(picture)["state"] == "cancelled"
        assert {stop["state"] for stop in milestones(picture)} == {"cancelled"}
        assert "Your onboarding was cancelled" in page_of(shop, made, "customer_status")


class TestConnections:
    def test_are_led_to_from_every_view_for_those_who_may_see_them(self, shop: MainJob, waiting: Running):
        path = f"/t/{waiting[0].id}/connections"
        carer = person("Cara", organisation_id=shop.organisation_id, roles=frozenset({"csm"}))
        for actor, shown in ((shop.lead, path), (shop.staff["tom"], path), (carer, "")):
            with shop.installation.work(waiting[0], actor) as work:
                page = partner.partner_page(work, get_picture(work, waiting[1]), "gates")
            assert page["tabs"]["connections"] == shown, actor.name


class TestForms:
    def test_use_each_id_once_on_a_page(self, shop: MainJob, waiting: Running, stuck: Running):
        for made in (waiting, stuck):
            for page, text in drawn(shop, made, "en"):
                ids = re.findall(r' id="([^"]+)"', text)
                assert len(ids) == len(set(ids)), (page, sorted(each for each in set(ids) if ids.count(each) > 1))
