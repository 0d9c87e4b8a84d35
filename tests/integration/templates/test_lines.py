"""Lines over a distributor and its reseller: what each offers, what stands on what, upgrades, and the way back."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from app.access.require import NotPermitted
from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.bootstrap.wiring import declare_everything
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.templates.language import Template, address
from app.templates.library import open_shelf
from app.templates.lines.chains import ChainBroken
from app.templates.lines.operations import GoingBackRefused, go_back
from app.templates.lines.queries import Offered, find_line, find_overlay, follow_line, list_line
from app.templates.operations import AdoptionRefused, adopt, effective_document, publish
from app.templates.overlay import Effective, Overlay
from app.templates.queries import list_catalogue
from app.templates.rules import TemplateRefused
from app.templates.upgrades.operations import UpgradeMoved, UpgradeOpen, see_line, try_upgrade, upgrade
from tenants.sessions import partner_session
from tests.factories.installation import Installation, Partner

T1 = open_shelf("msp/managed-services").template
LINE = "msp-managed-services"


@pytest.fixture(scope="module", autouse=True)
def _declared() -> None:
    declare_everything()


def admin(partner: Partner, role: str = "partner_admin") -> Actor:
    return Actor("person", new_id(), "Dana", organisation_id=partner.id, roles=frozenset({role}))


def version(number: str, **texts: str) -> Template:
    document = copy.deepcopy(dict(T1.document))
    document["version"] = number
    document["texts"]["provider"]["en"] = texts.get("provider", document["texts"]["provider"]["en"])
    return Template(document, address(document), T1.source)


def overlay(name: str, below: Effective, patch: dict[str, Any], number: str = "1.0.0", locks: Any = None) -> Overlay:
    base = {"id": LINE, "version": below.template.version, "digest": below.digest}
    document: dict[str, Any] = {"slipway": "1", "overlay": name, "version": number, "partner": name, "base": base}
    document |= {"locks": locks} if locks else {}
    document["patch"] = patch
    return Overlay(document, address(document), T1.source)


def called(said: str) -> dict[str, Any]:
    return {"texts": {"provider": {"en": said}}}


class Two:
    """A distributor, and a reseller below it."""

    first: Overlay
    second: Overlay

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.big = installation.partner("Westwind")
        self.small = installation.partner("Southwind", parent=self.big.id)

    def do(self, partner: Partner, operation: Any, *args: Any, **named: Any) -> Any:
        with self.installation.work(partner.home, admin(partner)) as work:
            made = operation(work, *args, **named)
        self.installation.run_due(SUBSCRIPTIONS)
        return made

    def effective(self, partner: Partner) -> Effective:
        """What a start of the partner's would read."""
        with partner_session(self.installation.runtime.databases, partner.id, actor="test") as (session, _now):
            offered = find_line(session, LINE)
        assert offered is not None
        return effective_document(
            self.installation.runtime,
            partner.id,
            template_digest=offered.template_digest,
            overlay_digest=offered.overlay_digest,
        )

    def plain(self, partner: Partner) -> Effective:
        """The template as it stands there without any overlay."""
        runtime = self.installation.runtime
        return effective_document(runtime, partner.id, template_digest=T1.digest, overlay_digest=None)

    def line(self, partner: Partner) -> Any:
        with partner_session(self.installation.runtime.databases, partner.id, actor="test") as (session, _now):
            return list_line(session, LINE)


@pytest.fixture
def two(shared_installation: Installation) -> Two:
    """The distributor has adapted the template; the reseller has taken that over and adapted it once more."""
    made = Two(shared_installation)
    made.do(made.big, publish, T1)
    made.first = overlay("westwind", made.effective(made.big), called("Westwind") | {"title": {"en": "Westwind"}})
    made.do(made.big, publish, made.first)
    made.do(made.small, adopt, [T1, made.first], publisher="Westwind")
    made.second = overlay("southwind", made.effective(made.small), called("Southwind"))
    made.do(made.small, publish, made.second)
    return made


class TestChain:
    def test_reaches_down_the_partner_tree(self, two: Two):
        small, big = two.effective(two.small), two.effective(two.big)
        assert [each.id for each in small.overlays] == ["westwind", "southwind"]
        assert small.document["title"]["en"] == "Westwind"
        assert small.document["texts"]["provider"]["en"] == "Southwind"
        assert small.origin_of("texts.provider.en").id == "southwind"
        assert small.origin_of("title.en").id == "westwind"
        assert [each.id for each in big.overlays] == ["westwind"]

    def test_of_a_reseller_is_its_own_when_the_distributor_goes_on(self, two: Two):
        before = two.effective(two.small).digest
        two.do(two.big, publish, overlay("westwind", two.plain(two.big), called("West"), "1.1.0"))
        assert two.effective(two.big).document["texts"]["provider"]["en"] == "West"
        assert two.effective(two.small).digest == before

    def test_holds_what_the_distributor_locked(self, two: Two):
        locks = [{"path": "texts.provider", "reason": "One brand."}]
        plain = two.plain(two.big)
        strict = overlay("strict", plain, called("Westwind"), locks=locks)
        other = two.installation.partner("Eastwind", parent=two.big.id)
        two.do(other, adopt, [T1, strict], publisher="Westwind")
        with pytest.raises(TemplateRefused, match=r"One brand\."):
            two.do(other, publish, overlay("east", two.effective(other), called("Eastwind")))
        with pytest.raises(ChainBroken, match="stand on that"):
            two.do(other, publish, overlay("east", plain, called("Eastwind")))

    def test_is_refused_where_what_it_stands_on_is_not_there(self, two: Two):
        stranger = two.installation.partner("Northwind")
        with pytest.raises(ChainBroken):
            two.do(stranger, publish, two.second)

    def test_may_hold_overlays_that_change_nothing(self, two: Two):
        nothing = two.effective(two.small).document["title"]["en"]
        silent = overlay("silent", two.effective(two.small), {"title": {"en": nothing}})
        two.do(two.small, publish, silent)
        quiet = overlay("quiet", two.effective(two.small), {"title": {"en": nothing}})
        two.do(two.small, publish, quiet)
        assert [each.id for each in two.effective(two.small).overlays] == ["westwind", "southwind", "silent", "quiet"]

    def test_is_listed_as_one_template_with_its_uppermost_overlay(self, two: Two):
        with partner_session(two.installation.runtime.databases, two.small.id, actor="test") as (session, _now):
            [entry] = list_catalogue(session, two.small.id)
            assert find_overlay(session, T1.digest) == two.second.digest
        assert entry.overlay is not None
        assert (entry.overlay.digest, entry.waiting) == (two.second.digest, None)


class TestFollowLine:
    def test_gives_a_lane_what_is_offered_unless_it_named_another_adaptation(self, two: Two):
        plain, second = Offered(T1.digest, None), Offered(T1.digest, two.second.digest)
        with two.installation.work(two.small.home, admin(two.small)) as work:
            assert follow_line(work.session, plain) == second
            assert follow_line(work.session, Offered(T1.digest, two.first.digest)) == second
            assert follow_line(work.session, Offered("sha256:0", None)) == Offered("sha256:0", None)
        special = overlay("special", two.plain(two.big), called("Special"))
        two.do(two.big, publish, special)
        with two.installation.work(two.big.home, admin(two.big)) as work:
            assert follow_line(work.session, Offered(T1.digest, two.first.digest)).overlay_digest == two.first.digest


class TestAdoption:
    def test_is_done_once_and_refuses_other_content_under_the_same_number(self, two: Two):
        entries = two.line(two.small)
        two.do(two.small, adopt, [T1, two.first], publisher="Westwind")
        assert two.line(two.small) == entries
        other = version("1.0.0", provider="Somebody else")
        with pytest.raises(AdoptionRefused, match="with other content"):
            two.do(two.small, adopt, [other], publisher="Westwind")

    def test_of_a_newer_version_waits_for_the_own_adaptation(self, two: Two):
        before = two.effective(two.small).digest
        newer = version("1.1.0")
        two.do(two.small, adopt, [newer], publisher="Westwind")
        assert two.effective(two.small).digest == before
        with partner_session(two.installation.runtime.databases, two.small.id, actor="test") as (session, _now):
            [entry] = list_catalogue(session, two.small.id)
        assert entry.waiting is not None
        assert entry.waiting.digest == newer.digest

    def test_is_for_who_may_publish(self, two: Two):
        with (
            pytest.raises(NotPermitted),
            two.installation.work(two.small.home, admin(two.small, "csm")) as work,
        ):
            adopt(work, [T1], publisher="Westwind")


class TestUpgrade:
    def test_asks_then_publishes_what_was_seen_and_can_be_taken_back_to_the_same_bytes(self, two: Two):
        before = two.effective(two.small)
        newer = version("1.1.0", provider="your MSP")
        two.do(two.small, adopt, [newer], publisher="Westwind")
        plan = two.do(two.small, try_upgrade, LINE, newer.digest, {})
        assert [each.path for each in plan.steps[0].upgrade.open] == ["texts.provider.en"]
        with pytest.raises(UpgradeOpen):
            two.do(two.small, upgrade, LINE, newer.digest, {}, seen="")
        decided = {"southwind": {"texts.provider.en": "ours"}}
        plan = two.do(two.small, try_upgrade, LINE, newer.digest, decided)
        with pytest.raises(UpgradeMoved):
            two.do(two.small, upgrade, LINE, newer.digest, decided, seen="sha256:0")
        two.do(two.small, upgrade, LINE, newer.digest, decided, seen=plan.address)
        after = two.effective(two.small)
        assert after.digest == plan.address
        assert (after.template.version, after.document["texts"]["provider"]["en"]) == ("1.1.0", "Southwind")
        first = two.line(two.small)[1]
        assert [each.why for each in two.line(two.small)] == ["upgraded", "published", "adopted"]
        two.do(two.small, go_back, LINE, first.offered, "It was too early")
        assert two.effective(two.small).digest == before.digest
        assert two.effective(two.small).document == before.document

    def test_lets_a_version_without_own_adaptation_be_offered(self, two: Two):
        stranger = two.installation.partner("Northwind")
        two.do(stranger, publish, T1)
        newer = version("1.1.0")
        two.do(stranger, publish, newer)
        assert two.effective(stranger).digest == newer.digest
        plan = two.do(stranger, try_upgrade, LINE, T1.digest, {})
        two.do(stranger, upgrade, LINE, T1.digest, {}, seen=plan.address)
        assert two.effective(stranger).digest == T1.digest

    def test_way_back_needs_a_reason_and_something_that_was_offered(self, two: Two):
        now = two.do(two.small, see_line, LINE).chain
        for to, reason in (
            (Offered(now.template.digest, now.overlay_digest), " "),
            (Offered("sha256:0", None), "why not"),
            (Offered(now.template.digest, "sha256:0"), "why not"),
        ):
            with pytest.raises(GoingBackRefused):
                two.do(two.small, go_back, LINE, to, reason)
