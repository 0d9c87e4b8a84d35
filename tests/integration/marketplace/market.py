"""What tests do in the marketplace, as the people of each organisation would."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.marketplace.checking.verifying import Verified, verify
from app.marketplace.operations.installing import install
from app.marketplace.operations.offering import Offer, submit
from app.marketplace.operations.reviewing import approve
from app.marketplace.queries.market import Card, get_package, read_listing, search_listings
from app.marketplace.queries.offers import (
    Submission,
    get_package_bytes,
    get_submission,
    list_submissions,
    states_of,
)
from app.marketplace.rules import Visibility
from app.marketplace.signing import package_hash
from app.templates.document import Source
from app.templates.language import Template, address
from app.templates.library import open_shelf
from app.templates.operations import publish
from app.vault.keyring import Keyring
from app.vault.operations import make_keys
from tenants.sessions import partner_session
from tenants.tenant import Tenant
from tests.factories.installation import Installation, Partner


@cache
def renewal() -> Mapping[str, Any]:
    """The smallest template of the library."""
    return open_shelf("msp/renewal").template.document


def template(name: str, version: str = "1.0.0", **more: Any) -> Template:
    """A template of that name."""
    document = {**renewal(), "id": name, "version": version, **more}
    return Template(document, address(document), Source("template", document, {}, {}))


class Market:
    """Distributor above Reseller, Contoso beside them; the operator above all."""

    def __init__(self, installation: Installation, keyring: Keyring) -> None:
        self.installation = installation
        self.operator = Partner(
            installation.platform, installation.tenant(installation.platform, "Operator", kind="home")
        )
        self.distributor = installation.partner("Distributor")
        self.reseller = installation.partner("Reseller", parent=self.distributor.id)
        self.contoso = installation.partner("Contoso")
        for partner in (self.operator, self.distributor, self.reseller, self.contoso):
            with installation.work(partner.home) as work:
                make_keys(work, keyring)

    def person(self, partner: Partner, role: str = "partner_admin", name: str = "Dana") -> Actor:
        """Somebody of the partner's staff."""
        return Actor("person", new_id(), name, organisation_id=partner.id, roles=frozenset({role}))

    def run(self) -> None:
        """Everything that is due, but mail."""
        self.installation.run_due(SUBSCRIPTIONS)

    def offer(
        self, partner: Partner, made: Template, *, to: str = "public", by: Actor | None = None, **more: Any
    ) -> Submission:
        """Publish and offer it; the submission after its checks."""
        actor = by or self.person(partner)
        with partner_session(self.installation.databases, partner.id, actor="test") as (session, _now):
            states = states_of(session, partner.id)
        with self.installation.work(partner.home, actor) as work:
            publish(work, made)
        with self.installation.work(partner.home, actor) as work:
            wanted = Offer(made.digest, more.pop("overlays", ()), Visibility(to), more.pop("changelog", "New."), **more)
            version_id = submit(work, wanted, states)
        self.run()
        return self.submission(partner, version_id)

    def submission(self, partner: Partner, version_id: UUID) -> Submission:
        """As the partner sees it now."""
        with partner_session(self.installation.databases, partner.id, actor="test") as (session, _now):
            return get_submission(session, version_id)

    def submissions(self, partner: Partner) -> list[Submission]:
        """All of the partner's."""
        with partner_session(self.installation.databases, partner.id, actor="test") as (session, _now):
            return list_submissions(session, partner.id)

    def approve(self, waiting: Submission, by: Actor | None = None) -> None:
        """A person of the operator lets it be listed."""
        with partner_session(self.installation.databases, self.operator.id, actor="test") as (session, _now):
            package = package_hash(get_package_bytes(session, waiting.id))
        with self.installation.work(self.operator.home, by or self.person(self.operator, "operator", "Otto")) as work:
            approve(work, waiting, package=package, note="")
        self.run()

    def listed(self, partner: Partner, made: Template, **more: Any) -> Submission:
        """Offered to everybody and approved."""
        waiting = self.offer(partner, made, **more)
        assert waiting.state == "in_review", waiting.checks
        self.approve(waiting)
        return self.submission(partner, waiting.id)

    def search(self, partner: Partner, words: str = "") -> list[Card]:
        """What the partner finds."""
        with partner_session(self.installation.databases, partner.id, actor="test") as (session, _now):
            return search_listings(session, words)

    def read(self, partner: Partner, listing_id: UUID) -> list[Card]:
        """The versions of a listing that the partner sees."""
        with partner_session(self.installation.databases, partner.id, actor="test") as (session, _now):
            return read_listing(session, listing_id)

    def fetch(self, partner: Partner, version_id: UUID) -> Verified:
        """The package as the partner gets it, verified."""
        with partner_session(self.installation.databases, partner.id, actor="test") as (session, _now):
            stored = get_package(session, version_id)
        return verify(stored)

    def install(self, partner: Partner, version_id: UUID, by: Actor | None = None) -> bool:
        """The partner takes it."""
        verified = self.fetch(partner, version_id)
        known = {each.digest for each in self.read(partner, verified.stored.listing_id)}
        with self.installation.work(partner.home, by or self.person(partner)) as work:
            new = install(work, verified, known)
        self.run()
        return new

    def actions(self, home: Tenant, name: str) -> int:
        """How often the home's trail tells of it."""
        return len(self.installation.rows(home, "SELECT id FROM {}.trail WHERE action = %s", f"marketplace.{name}"))
