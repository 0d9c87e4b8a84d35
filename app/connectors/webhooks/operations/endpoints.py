"""Names addresses that hear events, changes what they hear, and lets them go. None hears before it is verified."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET
from msgspec.structs import replace
from sqlalchemy import text

from app.access.permissions import Permission
from app.access.require import require
from app.audit.operations.documents import drop_document, drop_documents, write_document
from app.connectors.webhooks.events import EndpointAdded, EndpointChanged, EndpointRemoved
from app.connectors.webhooks.log import DELIVERY, PAST
from app.connectors.webhooks.operations.keys import field_of, first_key
from app.connectors.webhooks.queries import ENDPOINT, body_of, find_endpoint, list_endpoints
from app.connectors.webhooks.rules import MOST_ENDPOINTS, Challenge, Endpoint, hears, pattern_of
from app.kernel.catalogue.schemas import list_types
from app.kernel.errors import Conflict, Invalid
from app.kernel.ids import new_id
from app.kernel.outbound.client import OutboundClient
from app.kernel.outbound.egress import EgressRefused, parse_url, vet_address
from app.kernel.work import Work
from app.vault.operations import forget_door_secret
from app.vault.rules import DoorPurpose
from app.vault.secret import Secret
from app.web.translations import mark

_ANY: Final = "*"  # of an If-Match
_NOT_PUBLIC: Final = mark("This is not an address on the public internet.")
_ONLY_HTTPS: Final = mark("Only https addresses can be called.")
_UNREADABLE: Final = mark("This is not a web address of the form https://host/path.")
_UNFIT: Final = {
    "plain_http": _ONLY_HTTPS,
    "scheme": _ONLY_HTTPS,
    "port": mark("Only port 443 can be called."),
    "userinfo": mark("A web address must not carry a user name or password."),
    **dict.fromkeys(("malformed_url", "malformed_host", "malformed_path", "too_long", "trailing_dot"), _UNREADABLE),
}

SYSTEM_ONLY = {
    "save": "part of an operation that has checked its own permission",
    "listen": "part of an operation that has checked its own permission",
    "listen_no_more": "part of an operation that has checked its own permission",
    "ask_for_proof": "part of an operation that has checked its own permission",
}


class AddressUnfit(Invalid):
    """The address cannot be called: `errors` says why."""


class TypesUnfit(Invalid):
    """No event is called so."""


class NoCustomers(Invalid):
    """Only a partner's home hears what happens in its customers' workspaces."""


class TooManyEndpoints(Conflict):
    """There are as many endpoints as one workspace may have."""


class EndpointStale(Conflict):
    """The endpoint has changed since you read it."""

    status = 412


@dataclass(frozen=True, slots=True)
class Wanted:
    """How an endpoint is to be; what is UNSET stays as it is."""

    url: Any = UNSET
    description: Any = UNSET
    types: Any = UNSET
    ordered: Any = UNSET
    thin: Any = UNSET
    customers: Any = UNSET

    def on(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint as it is wanted."""
        given = {name: getattr(self, name) for name in Wanted.__slots__}
        return replace(endpoint, **{name: value for name, value in given.items() if value is not UNSET})


def add_endpoint(
    work: Work,
    *,
    url: str,
    types: list[str],
    description: str = "",
    ordered: bool = False,
    thin: bool = False,
    customers: bool = False,
) -> tuple[Endpoint, Secret]:
    """Name an address, and have it prove itself. Returns it with the key whose shared half is shown once.

    Raises NotPermitted, AddressUnfit, TypesUnfit, NoCustomers, TooManyEndpoints, KeysMissing.
    """
    _require_hearing(work)
    host = require_fit(work, url=url, types=types)
    _require_customers(work, customers=customers)
    place = {"place": f"webhooks:{work.tenant.id}"}
    work.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))"), place)
    if len(list_endpoints(work)) >= MOST_ENDPOINTS:
        raise TooManyEndpoints(mark("There are twenty endpoints already. Remove one that nobody needs."))
    endpoint_id = new_id()
    made, key = first_key(work, endpoint_id)
    endpoint = Endpoint(
        id=endpoint_id,
        url=url,
        description=description,
        types=tuple(types),
        state="unverified",
        made_at=work.database_now,
        keys=(made,),
        ordered=ordered,
        thin=thin,
        customers=customers,
        named_by=work.actor.id if work.actor.kind == "person" else None,
    )
    work.announce(EndpointAdded(subject_id=endpoint.id, host=host, types=types, customers=customers))
    return ask_for_proof(work, endpoint), key


def change_endpoint(work: Work, endpoint_id: UUID, wanted: Wanted, *, versions: frozenset[str]) -> Endpoint:
    """Change it from the version that was read. At another address it has to prove itself anew.

    Raises NotPermitted, EndpointUnknown, EndpointStale, AddressUnfit, TypesUnfit, NoCustomers.
    """
    _require_hearing(work)
    before = find_endpoint(work, endpoint_id, locked=True)
    if not {version_tag(before), _ANY} & versions:
        raise EndpointStale(mark("It has been changed meanwhile. Look at it again, then decide."))
    after = wanted.on(before)
    after = replace(after, types=tuple(after.types))
    if after == before:
        return before
    host = require_fit(work, url=after.url, types=list(after.types))
    _require_customers(work, customers=after.customers)
    moved = after.url != before.url
    work.announce(
        EndpointChanged(
            subject_id=after.id,
            host=host,
            types=list(after.types),
            ordered=after.ordered,
            thin=after.thin,
            customers=after.customers,
            moved=moved,
        )
    )
    if after.verified_at:  # what happens until it has proven itself again is held back for it
        listen(work, after)
    if moved and after.state == "disabled":  # it proves itself when somebody enables it
        return save(work, replace(after, verified_at=None, trouble=None))
    if moved:
        return ask_for_proof(work, replace(after, state="unverified", reason="", trouble=None, verified_at=None))
    return save(work, after)


def remove_endpoint(work: Work, endpoint_id: UUID) -> Endpoint:
    """Let it go, with its keys and what is known of its deliveries. Raises NotPermitted, EndpointUnknown."""
    require(work, Permission.CONNECTION_WRITE)
    require(work, Permission.CONNECTION_READ)
    endpoint = find_endpoint(work, endpoint_id, locked=True)
    listen_no_more(work, endpoint)
    for key in endpoint.keys:
        forget_door_secret(work, purpose=DoorPurpose.WEBHOOK_SIGNING, field=field_of(endpoint.id, key.number))
    drop_documents(work, DELIVERY, after=f"{endpoint.id}:", before=f"{endpoint.id}:{PAST}")
    drop_document(work, ENDPOINT, str(endpoint.id))
    work.announce(EndpointRemoved(subject_id=endpoint.id, host=host_of(endpoint.url)))
    return endpoint


def require_fit(work: Work, *, url: str, types: list[str]) -> str:
    """The host of an address that can be called, of an endpoint that would hear something.

    Raises AddressUnfit, TypesUnfit.
    """
    try:
        host = vet_address(url, book=work.service(OutboundClient).book).host
    except EgressRefused as error:
        why = _UNFIT.get(error.rule, _NOT_PUBLIC)
        raise AddressUnfit(why, errors=[("/url", why)]) from None
    known = [kind.type for kind in list_types()]
    unknown = [
        (f"/types/{place}", mark("No event is called so."))
        for place, name in enumerate(types)
        if not any(hears(name, kind) for kind in known)
    ]
    if unknown:
        raise TypesUnfit(mark("Some of the events do not exist. The catalogue names them all."), errors=unknown)
    return host


def host_of(url: str) -> str:
    """Whom a URL leads to, also one that the guard has come to refuse."""
    return parse_url(url).host


def ask_for_proof(work: Work, endpoint: Endpoint) -> Endpoint:
    """Send the address a code; the job does it, and goes on where the address gives the code back."""
    asked = replace(endpoint, challenge=Challenge(number=endpoint.challenge.number + 1))
    args: dict[str, object] = {"endpoint_id": str(endpoint.id), "number": asked.challenge.number}
    work.enqueue("connectors.verify_webhook", args=args)
    return save(work, asked)


def listen(work: Work, endpoint: Endpoint) -> None:
    """From now on the relay has events sent to it."""
    patterns = msgspec.json.encode([pattern_of(name) for name in endpoint.types]).decode()
    work.ask(_LISTEN, endpoint.id, patterns, endpoint.ordered, endpoint.customers)
    _spread(work)


def listen_no_more(work: Work, endpoint: Endpoint) -> None:
    """From now on it has not."""
    work.ask(_LISTEN_NO_MORE, endpoint.id)
    _spread(work)


def save(work: Work, endpoint: Endpoint) -> Endpoint:
    """Store it."""
    write_document(work, ENDPOINT, str(endpoint.id), body_of(endpoint))
    return endpoint


def version_tag(endpoint: Endpoint) -> str:
    """The ETag of what people decide of an endpoint: how it fares is none of their changes."""
    decided = [endpoint.url, endpoint.description, endpoint.types, endpoint.ordered, endpoint.thin, endpoint.customers]
    return f'"{hashlib.sha256(msgspec.json.encode(decided)).hexdigest()[:32]}"'


def _spread(work: Work) -> None:
    """Every cell is told of what a home hears; a customer's own endpoints concern its own cell alone."""
    if work.tenant.kind == "home":
        work.enqueue("connectors.spread_listeners")


def _require_customers(work: Work, *, customers: bool) -> None:
    if customers and work.tenant.kind != "home":
        why = mark("Only a partner's own workspace has customers to hear of.")
        raise NoCustomers(why, errors=[("/customers", why)])


def _require_hearing(work: Work) -> None:
    """Who has an address hear of everything that happens could as well read it in the trail, and must be allowed to."""
    require(work, Permission.CONNECTION_WRITE)
    require(work, Permission.CONNECTION_READ)  # what is answered shows the endpoint
    require(work, Permission.TRAIL_READ)


_LISTEN: Final = b"SELECT cell.listen($1, $2, $3, $4)"
_LISTEN_NO_MORE: Final = b"SELECT cell.listen_no_more($1)"
