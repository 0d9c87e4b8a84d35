"""Installing: verified again, once, under one name from one source; and what holders are told of a version's end."""

from __future__ import annotations

import json
import threading

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.access.require import NotPermitted
from app.identity.operations import ensure_person
from app.kernel.errors import SlipwayError
from app.marketplace.checking.verifying import NotOnOffer
from app.marketplace.operations.installing import (
    NameTaken,
    PublisherUnknown,
    import_package,
    install,
    trust_key,
)
from app.marketplace.operations.offering import Ending, deprecate, withdraw
from app.marketplace.operations.reviewing import take_down
from app.marketplace.operations.speaking import NotInstalledHere, rate
from app.marketplace.queries.market import ListingMissing, get_package, list_installed, list_ratings
from app.marketplace.rules import VersionBehind
from app.partners.operations import assign_role
from app.templates.library import open_shelf
from app.templates.operations import adopt, effective_document, publish
from app.templates.packing.package import Contents, publisher, write_package
from app.templates.packing.reading import PackageAltered, read_package
from tenants.sessions import partner_session
from tests.factories.installation import Partner, person
from tests.integration.marketplace.market import Market, template

ACME = publisher("acme", Ed25519PrivateKey.from_private_bytes(b"a" * 32))
AT = "2026-03-02T09:00:00Z"


def stored_bytes(market: Market, partner: Partner, version_id: object) -> bytes:
    with partner_session(market.installation.databases, partner.id, actor="test") as (session, _now):
        return get_package(session, version_id).package  # type: ignore[arg-type]  # an id


def exchange(market: Market, version_id: object, package: bytes) -> None:
    market.installation.control("UPDATE control.listing_version SET package = %s WHERE id = %s", package, version_id)


def letters(market: Market, partner: Partner) -> list[str]:
    return [row.kind for row in market.installation.rows(partner.home, "SELECT kind FROM {}.message ORDER BY id")]


class TestInstall:
    def test_gives_the_partner_versions_of_its_own(self, market: Market):
        made = template("taken-line")
        listed = market.listed(market.distributor, made)
        assert market.install(market.contoso, listed.id) is True
        found = effective_document(
            market.installation.runtime, market.contoso.id, template_digest=made.digest, overlay_digest=None
        )
        assert found.digest == made.digest
        assert market.install(market.contoso, listed.id) is False
        [card] = [card for card in market.search(market.reseller) if card.template_id == "taken-line"]
        assert (card.installs, card.installed) == (1, False)

    def test_brings_the_publishers_adaptation_along(self, market: Market):
        shelf = open_shelf("msp/managed-services")
        overlay = shelf.overlays["northwind"]
        dana = market.person(market.distributor)
        with market.installation.work(market.distributor.home, dana) as work:
            publish(work, shelf.template)
            publish(work, overlay)
        offered = market.offer(
            market.distributor, shelf.template, to="sub_partners", by=dana, overlays=(overlay.digest,)
        )
        assert market.install(market.reseller, offered.id)
        found = effective_document(
            market.installation.runtime,
            market.reseller.id,
            template_digest=shelf.template.digest,
            overlay_digest=overlay.digest,
        )
        assert [each.digest for each in found.overlays] == [overlay.digest]

    def test_refuses_a_package_that_was_altered_anywhere(self, market: Market):
        listed = market.listed(market.distributor, template("altered-line"))
        raw = stored_bytes(market, market.contoso, listed.id)
        for place in range(0, len(raw), len(raw) // 12):
            exchange(market, listed.id, raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
            with pytest.raises(SlipwayError) as trouble:
                market.fetch(market.contoso, listed.id)
            assert trouble.value.status == 422
        exchange(market, listed.id, raw)
        assert market.install(market.contoso, listed.id)

    def test_refuses_what_another_key_has_signed(self, market: Market):
        listed = market.listed(market.distributor, template("foreign-key"))
        exchange(market, listed.id, write_package(Contents(template("foreign-key").document), ACME, AT))
        with pytest.raises(PackageAltered, match="another key"):
            market.fetch(market.contoso, listed.id)

    def test_refuses_what_the_publisher_has_signed_and_nobody_reviewed(self, market: Market):
        """The publisher's own key, another package: an old one in the place of a new one, for example."""
        old = market.listed(market.distributor, template("replayed", "1.0.0"))
        new = market.listed(market.distributor, template("replayed", "1.1.0"))
        package = stored_bytes(market, market.contoso, old.id)
        exchange(market, new.id, package)
        with pytest.raises(PackageAltered):
            market.fetch(market.contoso, new.id)
        market.installation.control(
            "UPDATE control.listing_version SET package = %s, countersigned = NULL WHERE id = %s", package, old.id
        )
        with pytest.raises(PackageAltered, match="approved"):
            market.fetch(market.contoso, old.id)

    def test_of_an_older_version_does_not_go_back(self, market: Market):
        old = market.listed(market.distributor, template("going-on", "1.0.0"))
        new = market.listed(market.distributor, template("going-on", "1.1.0"))
        assert market.install(market.contoso, new.id)
        with pytest.raises(VersionBehind):
            market.install(market.contoso, old.id)

    def test_of_a_newer_version_stands_beside_the_older_one(self, market: Market):
        old = market.listed(market.distributor, template("stepwise", "1.0.0"))
        assert market.install(market.contoso, old.id)
        new = market.listed(market.distributor, template("stepwise", "1.1.0"))
        assert market.install(market.contoso, new.id)

    def test_does_not_mix_two_sources_under_one_name(self, market: Market):
        market.offer(market.contoso, template("same-name", "0.9.0"), to="private")
        listed = market.listed(market.distributor, template("same-name"))
        with pytest.raises(NameTaken):
            market.install(market.contoso, listed.id)

    def test_is_done_once_although_two_do_it_at_once(self, market: Market):
        listed = market.listed(market.distributor, template("at-once"))
        before, results = market.actions(market.contoso.home, "version.installed"), []
        verified = market.fetch(market.contoso, listed.id)

        def take() -> None:
            with market.installation.work(market.contoso.home, market.person(market.contoso)) as work:
                results.append(install(work, verified, ()))

        threads = [threading.Thread(target=take) for _ in range(2)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sorted(results) == [False, True]
        assert market.actions(market.contoso.home, "version.installed") == before + 1
        market.run()

    def test_is_for_who_may_publish(self, market: Market):
        listed = market.listed(market.distributor, template("not-for-all"))
        with pytest.raises(NotPermitted):
            market.install(market.contoso, listed.id, market.person(market.contoso, "csm"))


class TestAnEnd:
    def test_by_take_down_stops_installs_and_is_told_to_those_who_have_it(self, market: Market):
        listed = market.listed(market.distributor, template("unsafe"))
        databases = market.installation.databases
        cora = ensure_person(databases, email="cora@contoso.example", name="Cora", locale="en")
        assign_role(databases, person(), person_id=cora, organisation_id=market.contoso.id, role="partner_admin")
        market.install(market.contoso, listed.id)
        with market.installation.work(market.operator.home, market.person(market.operator, "operator")) as work:
            take_down(work, market.submission(market.operator, listed.id), reason="It asks for passwords.")
        market.run()
        with pytest.raises(NotOnOffer):
            market.fetch(market.contoso, listed.id)
        with pytest.raises(ListingMissing):
            market.fetch(market.reseller, listed.id)
        with partner_session(market.installation.databases, market.contoso.id, actor="test") as (session, _now):
            [card] = [card for card in list_installed(session) if card.template_id == "unsafe"]
        assert (card.state, card.notice and card.notice["reason"]) == ("taken_down", "It asks for passwords.")
        assert letters(market, market.contoso).count("listing_taken_down") == 1
        assert market.actions(market.contoso.home, "notice.received") >= 1

    def test_by_deprecation_names_what_to_use_instead(self, market: Market):
        listed = market.listed(market.distributor, template("ageing"))
        market.install(market.contoso, listed.id)
        ending = Ending("There is a better one.", replaced_by="2.0.0", ends_on="2099-01-01")
        with market.installation.work(market.distributor.home, market.person(market.distributor)) as work:
            deprecate(work, listed.id, ending, template="ageing", state="listed")
        market.run()
        [card] = market.read(market.contoso, listed.listing_id)
        assert (card.state, card.notice and card.notice["replaced_by"]) == ("deprecated", "2.0.0")
        assert market.install(market.contoso, listed.id) is False

    def test_by_withdrawal_is_the_publishers_alone(self, market: Market):
        listed = market.listed(market.distributor, template("drawn-back"))
        with (
            pytest.raises(SlipwayError),
            market.installation.work(market.contoso.home, market.person(market.contoso)) as work,
        ):
            withdraw(work, listed.id, template="drawn-back", state="listed", reason="Not mine.")
        with market.installation.work(market.distributor.home, market.person(market.distributor)) as work:
            withdraw(work, listed.id, template="drawn-back", state="listed", reason="We sell it no more.")
        market.run()
        with pytest.raises(ListingMissing):
            market.read(market.contoso, listed.listing_id)


class TestImport:
    def test_takes_a_file_of_a_publisher_that_is_trusted(self, market: Market):
        package = read_package(write_package(Contents(template("from-file").document), ACME, AT))
        ada = market.person(market.contoso)
        with pytest.raises(PublisherUnknown), market.installation.work(market.contoso.home, ada) as work:
            import_package(work, package)
        with market.installation.work(market.contoso.home, ada) as work:
            trust_key(work, package.key)
            assert import_package(work, package)
        with market.installation.work(market.contoso.home, ada) as work:
            assert not import_package(work, package)
        older = read_package(write_package(Contents(template("from-file", "0.9.0").document), ACME, AT))
        newer = read_package(write_package(Contents(template("from-file", "0.9.1").document), ACME, AT))
        with market.installation.work(market.contoso.home, ada) as work:
            assert import_package(work, newer)
        with pytest.raises(VersionBehind), market.installation.work(market.contoso.home, ada) as work:
            import_package(work, older)

    def test_believes_no_key_that_only_has_the_name(self, market: Market):
        thief = publisher("acme", Ed25519PrivateKey.from_private_bytes(b"b" * 32))
        package = read_package(write_package(Contents(template("stolen-name").document), thief, AT))
        cora = market.person(market.contoso)
        with market.installation.work(market.contoso.home, cora) as work:
            trust_key(work, ACME.key)
        with pytest.raises(PublisherUnknown), market.installation.work(market.contoso.home, cora) as work:
            import_package(work, package)

    def test_gives_the_same_bytes_that_were_submitted(self, market: Market):
        listed = market.listed(market.distributor, template("carried"))
        raw = stored_bytes(market, market.contoso, listed.id)
        document = json.loads(raw)
        assert rfc8785.dumps(document) == raw
        assert document["publisher"] == "Distributor"


class TestRate:
    def test_is_for_those_who_have_it(self, market: Market):
        listed = market.listed(market.distributor, template("rated"))
        cora = market.person(market.contoso)
        with pytest.raises(NotInstalledHere), market.installation.work(market.contoso.home, cora) as work:
            rate(work, listed.listing_id, stars=5, said="Never tried it.")
        market.install(market.contoso, listed.id)
        for stars in (2, 4):
            with market.installation.work(market.contoso.home, cora) as work:
                rate(work, listed.listing_id, stars=stars, said="It works.")
            market.run()
        [card] = [card for card in market.search(market.reseller) if card.template_id == "rated"]
        assert (card.stars, card.ratings) == (4.0, 1)
        with partner_session(market.installation.databases, market.reseller.id, actor="test") as (session, _now):
            [rating] = list_ratings(session, listed.listing_id)
        assert (rating.organisation, rating.mine) == (None, False)


class TestWhatWasTaken:
    def test_is_the_partners_own_from_then_on(self, market: Market):
        """Adopted again under another publisher's name it stays what it is."""
        made = template("adopted-twice")
        with market.installation.work(market.contoso.home, market.person(market.contoso)) as work:
            assert adopt(work, (made,), publisher="a") == adopt(work, (made,), publisher="b") == made.digest


class TestOnesOwn:
    def test_is_not_installed_and_counts_as_nobodys_use(self, market: Market):
        listed = market.listed(market.distributor, template("ones-own"))
        assert market.install(market.distributor, listed.id) is False
        assert market.submission(market.distributor, listed.id).installs == 0
