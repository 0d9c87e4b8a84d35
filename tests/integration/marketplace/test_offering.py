"""Offering, reviewing, listing: who decides what, who sees what, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from app.access.duties import SecondPersonNeeded
from app.access.require import NotPermitted
from app.identity.operations import ensure_person
from app.marketplace.operations.offering import ChangelogUnfit, Offer, submit
from app.marketplace.operations.reviewing import approve, decline, take_down
from app.marketplace.queries.market import ListingMissing
from app.marketplace.queries.offers import list_holders
from app.marketplace.rules import OfferMovedOn, ReasonMissing, VersionBehind, VersionOffered, Visibility
from app.partners.operations import assign_role
from app.templates.operations import publish
from tenants.sessions import lookup_session, partner_session
from tests.factories.installation import person
from tests.integration.marketplace.market import Market, template


class TestAPublicOffer:
    def test_is_listed_after_its_checks_and_a_review(self, market: Market):
        waiting = market.offer(market.distributor, template("kept-line"))
        assert waiting.state == "in_review"
        assert [each["name"] for each in waiting.checks["results"]] == ["form", "sound", "tests", "histories", "texts"]
        assert not [card for card in market.search(market.contoso) if card.template_id == "kept-line"]
        market.approve(waiting)
        [card] = [card for card in market.search(market.contoso) if card.template_id == "kept-line"]
        assert (card.state, card.reviewed, card.publisher) == ("listed", True, "Distributor")
        assert card.facts["lifecycle"] == "renewal"

    def test_is_reviewed_by_another_than_who_submitted_it(self, market: Market):
        otto = market.person(market.operator, "operator", "Otto")
        admin = market.person(market.operator, "partner_admin")
        both = replace(otto, roles=otto.roles | admin.roles)
        waiting = market.offer(market.operator, template("own-line"), by=both)
        with pytest.raises(SecondPersonNeeded):
            market.approve(waiting, both)

    def test_is_decided_once_although_two_decide(self, market: Market):
        waiting = market.offer(market.distributor, template("two-minds"))
        with market.installation.work(market.operator.home, market.person(market.operator, "operator")) as work:
            decline(work, waiting, reason="The readme is missing.")
        with pytest.raises(OfferMovedOn):
            market.approve(waiting)
        market.run()
        found = market.submission(market.distributor, waiting.id)
        assert (found.state, found.decision and found.decision["reason"]) == ("declined", "The readme is missing.")

    def test_that_was_declined_may_come_again(self, market: Market):
        waiting = market.offer(market.distributor, template("second-try"))
        with market.installation.work(market.operator.home, market.person(market.operator, "operator")) as work:
            decline(work, waiting, reason="Say more.")
        market.run()
        assert market.offer(market.distributor, template("second-try"), changelog="More.").state == "in_review"

    def test_is_told_to_who_reviews_it_and_what_they_decide_to_who_offers_it(self, market: Market):
        databases, letters = market.installation.databases, {}
        for partner, name, role in (
            (market.operator, "olga", "operator"),
            (market.distributor, "dora", "partner_admin"),
        ):
            known = ensure_person(databases, email=f"{name}@mail.example", name=name.title(), locale="de")
            assign_role(databases, person(), person_id=known, organisation_id=partner.id, role=role)
        first = market.offer(market.distributor, template("told-by-mail"))
        with market.installation.work(market.operator.home, market.person(market.operator, "operator")) as work:
            decline(work, first, reason="Say more.")
        market.run()
        market.approve(market.offer(market.distributor, template("told-by-mail"), changelog="More."))
        market.installation.cell("UPDATE cell.job SET state = 'ready' WHERE kind = 'marketplace.follow'")
        market.run()
        for partner in (market.operator, market.distributor):
            found = (
                "SELECT kind, locale, facts FROM {}.message WHERE facts ->> 'title' LIKE '%%told-by-mail%%' ORDER BY id"
            )
            letters[partner.id] = market.installation.rows(partner.home, found)
        assert [(each.kind, each.locale) for each in letters[market.operator.id]] == [("review_wanted", "de")] * 2
        told = letters[market.distributor.id]
        assert [(each.kind, each.facts["text"]["en"]) for each in told] == [
            ("review_declined", "Say more."),
            ("review_listed", ""),
        ]

    def test_is_approved_by_nobody_else(self, market: Market):
        waiting = market.offer(market.distributor, template("only-otto"))
        dana = market.person(market.distributor)
        with pytest.raises(NotPermitted), market.installation.work(market.distributor.home, dana) as work:
            approve(work, waiting, package="", note="")
        with pytest.raises(NotPermitted), market.installation.work(market.distributor.home, dana) as work:
            take_down(work, waiting, reason="I may not.")

    def test_whose_package_was_exchanged_after_the_review_is_not_listed(self, market: Market):
        waiting = market.offer(market.distributor, template("exchanged"))
        other = market.offer(market.distributor, template("another-one"))
        market.installation.control(
            "UPDATE control.listing_version SET package = o.package FROM control.listing_version o"
            " WHERE listing_version.id = %s AND o.id = %s",
            *(waiting.id, other.id),
        )
        with market.installation.work(market.operator.home, market.person(market.operator, "operator")) as work:
            approve(work, waiting, package="sha256:" + "0" * 64, note="")
        market.run()
        assert market.submission(market.distributor, waiting.id).state == "in_review"

    def test_is_told_by_the_trails_of_both_homes(self, market: Market):
        before = market.actions(market.operator.home, "version.approved")
        market.listed(market.distributor, template("told-line"))
        assert market.actions(market.operator.home, "version.approved") == before + 1


class TestVisibility:
    def test_of_sub_partners_ends_where_the_tree_does(self, market: Market):
        offered = market.offer(market.distributor, template("for-resellers"), to="sub_partners")
        assert offered.state == "listed"
        seen = {
            name: bool([card for card in market.search(partner) if card.template_id == "for-resellers"])
            for name, partner in {"own": market.distributor, "below": market.reseller, "beside": market.contoso}.items()
        }
        assert seen == {"own": True, "below": True, "beside": False}
        with pytest.raises(ListingMissing):
            market.read(market.contoso, offered.listing_id)
        with pytest.raises(ListingMissing):
            market.fetch(market.contoso, offered.id)

    def test_of_an_offer_below_is_not_for_those_above(self, market: Market):
        offered = market.offer(market.reseller, template("from-below"), to="sub_partners")
        for partner in (market.distributor, market.contoso):
            with pytest.raises(ListingMissing):
                market.read(partner, offered.listing_id)

    def test_that_is_private_is_for_oneself(self, market: Market):
        offered = market.offer(market.distributor, template("only-ours"), to="private")
        assert market.read(market.distributor, offered.listing_id)
        for partner in (market.reseller, market.contoso, market.operator):
            with pytest.raises(ListingMissing):
                market.read(partner, offered.listing_id)

    def test_without_a_scope_is_none(self, market: Market):
        offered = market.listed(market.distributor, template("for-everybody"))
        calls = (
            "search_listings(ARRAY[]::text[], 10)",
            "read_listing(:listing)",
            "listing_package(:version)",
            "listing_words(:listing)",
            "list_installed()",
            "list_held()",
            "list_ends()",
            "listing_checks(:version)",
        )
        ids = {"listing": offered.listing_id, "version": offered.id}
        for call in calls:
            given = {name: one for name, one in ids.items() if f":{name}" in call}
            with lookup_session(market.installation.databases) as (session, _now):
                found = session.execute(text(f"SELECT * FROM control.{call}"), given).all()  # noqa: S608 - our own calls
                assert [row for row in found if any(value is not None for value in row)] == [], call

    def test_of_holders_is_the_publishers(self, market: Market):
        listed = market.listed(market.distributor, template("held-line"))
        market.install(market.contoso, listed.id)
        for partner, count in (
            (market.distributor, 1),
            (market.operator, 1),
            (market.contoso, 0),
            (market.reseller, 0),
        ):
            with partner_session(market.installation.databases, partner.id, actor="test") as (session, _now):
                assert len(list_holders(session, listed.id)) == count

    def test_of_what_waits_is_for_nobody(self, market: Market):
        waiting = market.offer(market.distributor, template("still-waiting"))
        for partner in (market.contoso, market.reseller, market.distributor):
            with pytest.raises(ListingMissing):
                market.read(partner, waiting.listing_id)


class TestSearch:
    def test_takes_every_sign_as_itself(self, market: Market):
        market.offer(market.distributor, template("searched-for"), to="private")
        for words in ("%", "_", "';--", "\\", "a' OR 'a'='a", "*", "$1", ":words"):
            assert market.search(market.distributor, words) == []
        assert market.search(market.distributor, "\x00 ") == market.search(market.distributor)

    def test_finds_all_words_in_any_case(self, market: Market):
        market.offer(market.distributor, template("needle-line"), to="private")
        assert [card.template_id for card in market.search(market.distributor, "NEEDLE renewal")] == ["needle-line"]
        assert market.search(market.distributor, "needle nowhere") == []


class TestSubmit:
    def test_refuses_what_goes_back_or_came_before(self, market: Market):
        older, dana = template("forward", "1.0.0"), market.person(market.distributor)
        with market.installation.work(market.distributor.home, dana) as work:
            publish(work, older)
        market.offer(market.distributor, template("forward", "1.1.0"), to="private")
        with pytest.raises(VersionOffered):
            market.offer(market.distributor, template("forward", "1.1.0"), to="private")
        market.offer(market.distributor, template("forward", "2.0.0"), to="private")
        with pytest.raises(VersionBehind), market.installation.work(market.distributor.home, dana) as work:
            submit(work, Offer(older.digest, (), Visibility.PRIVATE, "Old."), {})

    def test_is_for_who_may_publish_and_says_what_is_new(self, market: Market):
        with pytest.raises(NotPermitted):
            market.offer(market.distributor, template("not-mine"), by=market.person(market.distributor, "csm"))
        with pytest.raises(ChangelogUnfit):
            market.offer(market.distributor, template("no-words"), changelog=" ")

    def test_shows_what_the_checks_found(self, market: Market):
        failed = market.offer(market.distributor, template("wordless", description={"en": "Words."}))
        assert failed.state == "failed"
        assert next(each for each in failed.checks["results"] if not each["passed"])["problems"]


class TestTakeDown:
    def test_needs_a_reason(self, market: Market):
        listed = market.listed(market.distributor, template("down-line"))
        otto = market.person(market.operator, "operator")
        with pytest.raises(ReasonMissing), market.installation.work(market.operator.home, otto) as work:
            take_down(work, listed, reason=" ")
