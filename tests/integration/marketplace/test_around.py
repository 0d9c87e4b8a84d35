"""Ways around: a distributor's locks, the order of jobs, an older adaptation, a name that is one's own, two at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.bootstrap.health import count_jobs
from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.kernel.errors import SlipwayError
from app.kernel.queue.dispatcher import relay_outbox
from app.kernel.work import Work
from app.marketplace.operations.installing import NameTaken, import_package, install, trust_key
from app.marketplace.operations.offering import NotYours, Offer, submit, withdraw
from app.marketplace.operations.reviewing import take_down
from app.marketplace.queries.counting import count_market
from app.marketplace.queries.offers import states_of
from app.marketplace.rules import VersionBehind, Visibility
from app.templates.authoring.versions import VersionTaken
from app.templates.document import Source
from app.templates.language import Template, address
from app.templates.lines.queries import Offered, find_line, find_overlay, line_in_home
from app.templates.operations import AdoptionRefused, adopt, bring_out, publish
from app.templates.overlay import Effective, Overlay, apply_overlays
from app.templates.packing.package import Contents, publisher, write_package
from app.templates.packing.reading import read_package
from app.templates.queries import TemplateMissing
from app.templates.upgrades.operations import upgrade
from tenants.sessions import partner_session
from tests.factories.installation import CELL, Partner
from tests.integration.marketplace.market import Market, renewal, template


def said(text: str) -> dict[str, Any]:
    """A patch of the title."""
    return {"title": dict.fromkeys(renewal()["locales"], text)}


def over(name: str, below: Effective, patch: dict[str, Any], number: str = "1.0.0", locks: Any = None) -> Overlay:
    base = {"id": below.template.id, "version": below.template.version, "digest": below.digest}
    document: dict[str, Any] = {"slipway": "1", "overlay": name, "version": number, "partner": name, "base": base}
    document |= {"locks": locks} if locks else {}
    document["patch"] = patch
    return Overlay(document, address(document), Source("o", document, {}, {}))


def at_home(market: Market, partner: Partner, act: Callable[[Work], Any], *, run: bool = True) -> Any:
    with market.installation.work(partner.home, market.person(partner)) as work:
        made = act(work)
    if run:
        market.run()
    return made


def offered(market: Market, partner: Partner, name: str) -> Offered | None:
    with partner_session(market.installation.databases, partner.id, actor="test") as (session, _now):
        return find_line(session, name)


def offer(market: Market, made: Template, overlays: Sequence[Overlay] = (), partner: Partner | None = None) -> Any:
    whose = partner or market.distributor
    with partner_session(market.installation.databases, whose.id, actor="test") as (session, _now):
        states = states_of(session, whose.id)
    wanted = Offer(made.digest, tuple(each.digest for each in overlays), Visibility.SUB_PARTNERS, "New.")
    return market.submission(whose, at_home(market, whose, lambda work: submit(work, wanted, states)))


def locked(market: Market, name: str) -> tuple[Template, Overlay]:
    """The reseller has taken over a template with an adaptation that locks its title."""
    made = template(name)
    lock = over(f"{name}-dist", apply_overlays(made), said("Dist"), locks=[{"path": "title", "reason": "One brand."}])
    at_home(market, market.distributor, lambda work: [publish(work, each) for each in (made, lock)])
    market.install(market.reseller, offer(market, made, [lock]).id)
    return made, lock


def until_somebody_waits(market: Market) -> None:
    """For a lock that this test holds."""
    end = time.monotonic() + 10
    while not market.installation.cell("SELECT 1 FROM pg_locks WHERE NOT granted"):
        assert time.monotonic() < end
        time.sleep(0.01)  # nothing else says that a transaction waits


def reversed_jobs(market: Market) -> None:
    """Everything that is due, the last first."""
    relay_outbox(market.installation.databases, CELL, SUBSCRIPTIONS)
    for item in reversed(list(market.installation.take())):
        market.installation.run_one(item)
    market.run()


class TestLocks:
    def test_hold_against_each_way_to_the_bare_template(self, market: Market):
        made, lock = locked(market, "locked-line")
        mine = over("mine", apply_overlays(made), said("Mine"))
        with pytest.raises(TemplateMissing):
            at_home(market, market.reseller, lambda w: upgrade(w, made.id, made.digest, {}, seen=made.digest))
        me = publisher("Me", Ed25519PrivateKey.from_private_bytes(b"m" * 32))
        raw = write_package(Contents(dict(made.document), overlays=(dict(mine.document),)), me, "2026-03-02T09:00:00Z")
        at_home(market, market.reseller, lambda work: trust_key(work, me.key))
        with pytest.raises(NameTaken):
            at_home(market, market.reseller, lambda work: import_package(work, read_package(raw)))
        with pytest.raises(AdoptionRefused):
            at_home(market, market.reseller, lambda w: publish(w, template(made.id, "1.1.0", **said("Mine"))))
        for overlays in ((), (lock,)):
            with pytest.raises(NotYours):
                offer(market, made, overlays, market.reseller)
        assert offered(market, market.reseller, made.id) == Offered(made.digest, lock.digest)

    def test_go_along_with_an_adaptation_that_is_offered_on(self, market: Market):
        made, lock = locked(market, "further")
        mine = over("further-mine", apply_overlays(made, (lock,)), {"description": dict(made.document["description"])})
        at_home(market, market.reseller, lambda work: publish(work, mine))
        with pytest.raises(NotYours):
            offer(market, made, [mine], market.reseller)
        assert offer(market, made, [lock, mine], market.reseller).state == "listed"


class TestOrder:
    def test_of_jobs_does_not_decide_what_is_offered(self, market: Market):
        made = template("order-line")
        at_home(market, market.contoso, lambda work: publish(work, made))
        one, two = (over("order-c", apply_overlays(made), said(each), f"1.{each}.0") for each in ("0", "1"))
        at_home(market, market.contoso, lambda work: publish(work, one), run=False)
        at_home(market, market.contoso, lambda work: publish(work, two), run=False)
        reversed_jobs(market)
        assert offered(market, market.contoso, made.id) == Offered(made.digest, two.digest)
        with partner_session(market.installation.databases, market.contoso.id, actor="test") as (session, _now):
            assert find_overlay(session, made.digest) == two.digest

    def test_of_jobs_does_not_cut_a_chain(self, market: Market):
        made, newer = template("order-chain"), template("order-chain", "1.1.0")
        own = over("chain-own", apply_overlays(made), said("Own"))
        low = over("chain-a", apply_overlays(newer), said("A"))
        high = over("chain-b", apply_overlays(newer, (low,)), said("B"))
        at_home(market, market.contoso, lambda work: adopt(work, [made], publisher="X"))
        at_home(market, market.contoso, lambda work: publish(work, own))
        at_home(market, market.contoso, lambda work: adopt(work, [newer, low, high], publisher="X"), run=False)
        reversed_jobs(market)
        with partner_session(market.installation.databases, market.contoso.id, actor="test") as (session, _now):
            assert find_overlay(session, newer.digest) == high.digest

    def test_of_lines_goes_on_where_a_home_had_none(self, market: Market):
        made, newer = template("before-lines"), template("before-lines", "1.1.0")
        own = over("before-own", apply_overlays(made), said("Own"))
        at_home(market, market.contoso, lambda work: [publish(work, each) for each in (made, own)])
        market.installation.control("DELETE FROM control.template_line WHERE template_id = %s AND seq > 1", made.id)
        first = "UPDATE control.template_line SET overlay_digest = %s WHERE template_id = %s"
        market.installation.control(first, own.digest, made.id)
        gone = "DELETE FROM {}.record WHERE kind = 'template.line' AND key = %s RETURNING key"
        market.installation.rows(market.contoso.home, gone, made.id)
        at_home(market, market.contoso, lambda work: publish(work, newer))
        with market.installation.work(market.contoso.home) as work:
            assert line_in_home(work.session, made.id) == Offered(made.digest, own.digest)
        assert offered(market, market.contoso, made.id) == Offered(made.digest, own.digest)
        later = over("before-own", apply_overlays(newer), said("Own"), "1.1.0")
        at_home(market, market.contoso, lambda work: publish(work, later))
        assert offered(market, market.contoso, made.id) == Offered(newer.digest, later.digest)


class TestInstalling:
    def test_an_older_adaptation_does_not_go_back(self, market: Market):
        made = template("back-line")
        one = over("back-dist", apply_overlays(made), said("One"))
        two = over("back-dist", apply_overlays(made), said("Two"), "1.1.0")
        at_home(market, market.distributor, lambda work: [publish(work, each) for each in (made, one)])
        older = offer(market, made, [one])
        at_home(market, market.distributor, lambda work: publish(work, two))
        market.install(market.reseller, offer(market, made, [two]).id)
        with pytest.raises(VersionBehind):
            market.install(market.reseller, older.id)
        assert offered(market, market.reseller, made.id) == Offered(made.digest, two.digest)

    def test_another_s_template_does_not_take_a_name_however_often_it_was_adapted(self, market: Market):
        mine = template("own-name")
        ground = apply_overlays(mine)
        adapted = [over("own-name-r", ground, said(f"V{n}"), f"1.{n}.0") for n in range(21)]
        at_home(market, market.reseller, lambda work: [publish(work, mine), *(publish(work, each) for each in adapted)])
        theirs = template("own-name", "1.1.0", **said("Theirs"))
        at_home(market, market.distributor, lambda work: publish(work, theirs))
        with pytest.raises(NameTaken):
            market.install(market.reseller, offer(market, theirs).id)


class TestTwoAtOnce:
    def test_publish_one_version_with_one_content(self, market: Market):
        made = template("twice-line")
        at_home(market, market.contoso, lambda work: publish(work, made))
        one, two = (template("twice-line", "1.1.0", **said(each)) for each in "XY")
        begun, trouble = Event(), list[SlipwayError]()

        def second() -> None:
            begun.set()
            try:
                at_home(market, market.contoso, lambda work: bring_out(work, two), run=False)
            except SlipwayError as error:
                trouble.append(error)

        other = Thread(target=second)
        with market.installation.work(market.contoso.home, market.person(market.contoso)) as work:
            bring_out(work, one)
            other.start()
            begun.wait(5)
        other.join()
        assert [type(each) for each in trouble] == [VersionTaken]

    def test_do_not_put_two_sources_under_one_name(self, market: Market):
        listed = market.listed(market.distributor, template("one-name", "1.0.0"))
        verified, trouble = market.fetch(market.contoso, listed.id), list[SlipwayError]()

        def take() -> None:
            try:
                at_home(market, market.contoso, lambda work: install(work, verified, ()), run=False)
            except SlipwayError as error:
                trouble.append(error)

        other = Thread(target=take)
        with market.installation.work(market.contoso.home, market.person(market.contoso)) as work:
            publish(work, template("one-name", "0.9.0"))
            other.start()
            until_somebody_waits(market)
        other.join()
        assert [type(each) for each in trouble] == [NameTaken]

    def test_install_two_versions_one_after_the_other(self, market: Market):
        old = market.listed(market.distributor, template("two-versions", "1.0.0"))
        new = market.listed(market.distributor, template("two-versions", "1.1.0"))
        fetched = [market.fetch(market.contoso, each.id) for each in (new, old)]
        known = {each.package.address for each in fetched}
        trouble = list[SlipwayError]()

        def take() -> None:
            try:
                at_home(market, market.contoso, lambda work: install(work, fetched[1], known), run=False)
            except SlipwayError as error:
                trouble.append(error)

        other = Thread(target=take)
        with market.installation.work(market.contoso.home, market.person(market.contoso)) as work:
            install(work, fetched[0], known)
            other.start()
            until_somebody_waits(market)
        other.join()
        market.run()
        assert [type(each) for each in trouble] == [VersionBehind]
        now = offered(market, market.contoso, "two-versions")
        assert now is not None
        assert now.template_digest == fetched[0].package.address


class TestHolders:
    def test_hear_of_an_end_that_came_while_they_installed(self, market: Market):
        """The operator's word is through before `control` knows who has the version."""
        listed = market.listed(market.distributor, template("ending-meanwhile"))
        before = market.actions(market.contoso.home, "notice.received")
        verified = market.fetch(market.contoso, listed.id)
        with market.installation.work(market.operator.home, market.person(market.operator, "operator")) as work:
            take_down(work, listed, reason="It asks for passwords.")
        at_home(market, market.contoso, lambda work: install(work, verified, ()), run=False)
        market.run()
        reversed_jobs(market)
        assert market.actions(market.contoso.home, "notice.received") == before + 1

    def test_hear_of_an_end_although_one_of_them_rests(self, market: Market):
        made = template("ending-line")
        at_home(market, market.distributor, lambda work: publish(work, made))
        listed = offer(market, made)
        holders = [market.installation.partner(f"Holder {n}", parent=market.distributor.id) for n in range(2)]
        for each in holders:
            market.install(each, listed.id)
        first, last = sorted(holders, key=lambda each: each.id)
        market.installation.cell("UPDATE cell.tenant SET state = 'suspended' WHERE id = %s", first.home.id)
        wanted = {"template": made.id, "state": "listed", "reason": "Because"}
        at_home(market, market.distributor, lambda work: withdraw(work, listed.id, **wanted))
        assert market.actions(last.home, "notice.received") == 1
        told = count_market(market.installation.databases).decode()
        assert 'slipway_marketplace_notices_unheard{state="withdrawn"} 1.0' in told
        assert "marketplace.follow" in count_jobs(market.installation.databases).decode()
        market.installation.cell("UPDATE cell.tenant SET state = 'active' WHERE id = %s", first.home.id)
