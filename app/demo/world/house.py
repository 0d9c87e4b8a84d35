"""Sets a demo partner up, as an operator and the partner's own admin would: once, however often it is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid5

from app.bootstrap.commands.marketplace import stock_library
from app.connectors.operations import ConnectionSetting, add_connection
from app.demo.world import crm
from app.demo.world.shapes import DemoPartner, Lane
from app.demo.world.tokens import Tokens
from app.identity.operations import ensure_person
from app.identity.queries import list_assignments
from app.intake.operations.workflows import NewWorkflow, create_hook, create_workflow
from app.kernel.actor import Actor
from app.kernel.commands import Result, run_command
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from app.marketplace.operations.offering import Offer, submit
from app.marketplace.rules import Visibility
from app.partners.brand import Brand
from app.partners.operations import NewOrganisation, assign_role, create_organisation, set_brand
from app.partners.rules import PLATFORM
from app.templates.library import find_component, open_shelf
from app.templates.operations import publish
from app.templates.packages.additions import with_parts
from app.templates.packages.document import package_of, read_content
from app.templates.packages.operations import publish_package
from app.tenancy.operations.creation import TenantRequest, create_tenant
from app.vault.keyring import Keyring
from app.vault.operations import put_door_secret
from app.vault.rules import DoorPurpose
from app.vault.secret import Secret
from tenants.sessions import lookup_session
from tenants.tenant import Tenant

OPERATOR = Actor(kind="service", id=uuid5(UUID(int=0), "demo"), name="demo set-up")
TRACE = "demo-set-up"
REVIEWER = "olivia.hart@slipway.example"  # of the operator: reviews what partners offer to everybody
_LINEAGE = "demo"  # who asks: the first part of every command key of the set-up


@dataclass(frozen=True, slots=True)
class House:
    """A partner that is set up: its organisation and its home."""

    partner: DemoPartner
    organisation_id: UUID
    home: Tenant


def set_up_platform(runtime: Runtime) -> UUID:
    """The operator's organisation, the root of the tree. Returns its id."""
    wanted = NewOrganisation(slug="slipway", name="Slipway", kind=PLATFORM)
    platform = create_organisation(runtime.databases, OPERATOR, wanted)
    set_brand(runtime.databases, OPERATOR, platform, Brand("Slipway", "#20639b"))
    person = ensure_person(runtime.databases, email=REVIEWER, name="Olivia Hart", locale="en")
    assign_role(runtime.databases, OPERATOR, person_id=person, organisation_id=platform, role="operator")
    return platform


def set_up_house(runtime: Runtime, platform: UUID, partner: DemoPartner, tokens: Tokens) -> House:
    """Organisation, brand, home, staff, template, connection, lanes and hook of a partner."""
    wanted = NewOrganisation(slug=partner.slug, name=partner.name, parent_id=platform)
    organisation = create_organisation(runtime.databases, OPERATOR, wanted)
    set_brand(runtime.databases, OPERATOR, organisation, partner.brand, legal=partner.legal, contact=partner.help)
    for colleague in partner.staff:
        person = ensure_person(runtime.databases, email=colleague.email, name=colleague.name, locale=colleague.locale)
        for role in colleague.roles:
            assign_role(runtime.databases, OPERATOR, person_id=person, organisation_id=organisation, role=role)
    request = TenantRequest(organisation, kind="home", name=partner.name, key="home")
    house = House(partner, organisation, create_tenant(runtime, OPERATOR, request, trace_id=TRACE))
    tokens.make(f"{partner.slug}/{word}" for word in (crm.SOURCE, "client_secret"))
    _furnish(runtime, house, tokens)
    if tokens.find(f"{partner.slug}/hook") is None:
        admin = actor_of(runtime, house, partner.player("cs_leader").email)
        token = create_hook(runtime, admin, house.home, crm.SOURCE, trace_id=TRACE)
        tokens.keep(f"{partner.slug}/hook", token)
    return house


def open_marketplace(runtime: Runtime, platform: UUID, house: House) -> None:
    """Offer the library, and let the partner offer its template to everybody, which waits for the operator's review."""
    stock_library(runtime, platform, "Slipway")
    shelf = open_shelf(house.partner.lanes[0].template)
    overlays = (shelf.overlays[house.partner.slug].digest,)
    offer = Offer(shelf.template.digest, overlays, Visibility.PUBLIC, "How we launch with enterprises: first version.")

    def operation(work: Work) -> dict[str, object]:
        return {"id": str(submit(work, offer, {}))}

    admin = actor_of(runtime, house, house.partner.player("cs_leader").email)
    once(runtime, house.home, admin, "offer", operation)


def actor_of(runtime: Runtime, house: House, email: str) -> Actor:
    """A person as sign-in would know them now: a colleague with the roles that count in the partner, or a customer."""
    names = {colleague.email: colleague.name for colleague in house.partner.staff}
    names |= {sale.contact.email: f"{sale.contact.first} {sale.contact.last}" for sale in house.partner.sales}
    person = ensure_person(runtime.databases, email=email, name=names.get(email, email), locale="en")
    with lookup_session(runtime.databases) as (session, _now):
        held = list_assignments(session, person, house.organisation_id)
    roles = frozenset(each.role for each in held)
    organisation = house.organisation_id if roles else None
    return Actor("person", person, names.get(email, email), organisation_id=organisation, roles=roles)


def _furnish(runtime: Runtime, house: House, tokens: Tokens) -> None:
    """All that the partner's admin does in the home: what it offers, then the rest in one transaction; each once."""
    partner = house.partner
    admin = actor_of(runtime, house, partner.player("cs_leader").email)
    offered = {name: _offer(runtime, house, admin, name) for name in {lane.template: None for lane in partner.lanes}}

    def operation(work: Work) -> dict[str, object]:
        setting = ConnectionSetting(
            connector=crm.SOURCE,
            name="CRM",
            config={"mapping": crm.mapping(partner)},
            secrets={"access_token": Secret(tokens[f"{partner.slug}/{crm.SOURCE}"])},
        )
        connection = add_connection(work, setting)
        put_door_secret(
            work,
            runtime.service(Keyring),
            purpose=DoorPurpose.WEBHOOK_VERIFICATION,
            field="client_secret",
            value=Secret(tokens[f"{partner.slug}/client_secret"]),
        )
        for lane in partner.lanes:
            create_workflow(work, _workflow(partner, lane, *offered[lane.template], connection))
        return {}

    once(runtime, house.home, admin, "furnish", operation)


def _offer(runtime: Runtime, house: House, admin: Actor, template: str) -> tuple[str, str]:
    """A template of the library with the partner's overlay, and the packages it is sold in. Returns both addresses.

    All of it is read before anything is opened: a transaction that only waits is ended.
    """
    partner, shelf = house.partner, open_shelf(template)
    overlay, locales = shelf.overlays[partner.slug], shelf.template.document["locales"]
    contents = [content for content in map(read_content, partner.packages) if content.template == shelf.template.id]
    packages = [
        package_of(with_parts(content, locales, find_component), version="1.0.0", partner=partner.slug)
        for content in contents
    ]

    def operation(work: Work) -> dict[str, object]:
        publish(work, shelf.template)
        publish(work, overlay)
        for package in packages:
            publish_package(work, package)
        return {}

    once(runtime, house.home, admin, f"offer:{template}", operation)
    return shelf.template.digest, overlay.digest


def once(runtime: Runtime, tenant: Tenant, actor: Actor, deed: str, operation: Callable[[Work], Result]) -> None:
    """Run an operation as a command whose key follows from the deed: a set-up that was killed goes on behind it."""
    run_command(
        runtime,
        tenant,
        actor,
        key=f"{_LINEAGE}:{deed}",
        mark=_LINEAGE,
        trace_id=TRACE,
        operation=operation,
    )


def _workflow(partner: DemoPartner, lane: Lane, template: str, overlay: str, connection: UUID) -> NewWorkflow:
    roles = sorted({role for colleague in partner.staff for role in colleague.plays})
    people = {}
    for role in roles:
        one = partner.player(role)
        people[role] = [{"name": one.name, "email": one.email, "locale": one.locale}]
    return NewWorkflow(
        name=lane.name,
        segment=lane.segment,
        state="live",
        contract=crm.contract(lane.segment),
        owners={"handoff_role": "revops", "people": people, "calendar": {"zone": lane.zone, "country": lane.country}},
        template_digest=template,
        overlay_digest=overlay,
        connection_id=connection,
    )
