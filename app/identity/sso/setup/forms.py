"""The form of a connection: read into what is wanted, with a sentence for each mistake; and filled from what is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta, Struct

from app.identity.sso.queries import ConnectionView
from app.identity.sso.rules import GROUPS_CLAIM, MOST_DOMAINS, MOST_GROUPS, Settings, clean_domain, clean_issuer
from app.identity.sso.secrets import Revealed
from app.identity.sso.setup.saving import ACTIVE, OFF, Wanted
from app.web.forms import Form
from app.web.translations import mark

Short = Annotated[str, Meta(max_length=80)]
Line = Annotated[str, Meta(max_length=300)]
Lines = Annotated[str, Meta(max_length=10_000)]
Errors = list[tuple[str, str]]


class ConnectionForm(Struct, frozen=True, kw_only=True):
    """What the form sends besides the secret, which is never part of a schema."""

    name: Short
    issuer: Line
    client_id: Line
    active: bool
    required: bool
    joins: bool
    trusts_addresses: bool
    domains: Lines = ""
    default_role: Short = ""
    groups_claim: Short = GROUPS_CLAIM
    group_roles: Lines = ""
    acr: Line = ""


def read_form(form: Form, hide: Callable[[str], Revealed], unfit: Callable[[str], str]) -> tuple[Wanted | None, Errors]:
    """What is wanted, or every mistake with its place. `hide`: see ClientSecrets; `unfit`: see Providers."""
    filled = form.fill(ConnectionForm)
    if filled.value is None:
        return None, filled.errors
    sent, errors = filled.value, list[tuple[str, str]]()
    issuer = clean_issuer(sent.issuer)
    domains = [clean_domain(word) for word in sent.domains.replace(",", " ").split()]
    pairs = [_pair(line) for line in sent.group_roles.splitlines() if line.strip()]
    if len(domains) > MOST_DOMAINS or None in domains:
        errors.append(("domains", _DOMAINS))
    if len(pairs) > MOST_GROUPS or None in pairs:
        errors.append(("group_roles", _GROUPS))
    if why := unfit(issuer) if issuer else _ISSUER:
        errors.append(("issuer", why))
    if errors or issuer is None:
        return None, errors
    wanted = Wanted(
        name=sent.name,
        issuer=issuer,
        client_id=sent.client_id,
        secret=hide(form.first("client_secret").strip()) if form.first("client_secret").strip() else None,
        domains=tuple(dict.fromkeys(domain for domain in domains if domain)),
        state=ACTIVE if sent.active else OFF,
        required=sent.required,
        settings=_settings(sent, tuple(pair for pair in pairs if pair)),
    )
    return wanted, []


def _settings(sent: ConnectionForm, group_roles: tuple[tuple[str, str], ...]) -> Settings:
    return Settings(
        joins=sent.joins,
        default_role=sent.default_role,
        groups_claim=sent.groups_claim,
        group_roles=group_roles,
        trusts_addresses=sent.trusts_addresses,
        acr=sent.acr,
    )


def typed_of(view: ConnectionView | None) -> dict[str, Any]:
    """The form's fields as a connection has them; empty for a new one."""
    if view is None:
        return {"groups_claim": GROUPS_CLAIM, "active": True}
    own = view.settings
    return {
        "name": view.name,
        "issuer": view.issuer,
        "client_id": view.client_id,
        "active": view.state == ACTIVE,
        "required": view.required,
        "joins": own.joins,
        "trusts_addresses": own.trusts_addresses,
        "domains": "\n".join(view.domains),
        "default_role": own.default_role,
        "groups_claim": own.groups_claim,
        "group_roles": "\n".join(f"{group} = {role}" for group, role in own.group_roles),
        "acr": own.acr,
    }


def _pair(line: str) -> tuple[str, str] | None:
    """`group = role`; the last `=` divides, since names of groups hold them."""
    group, sign, role = line.rpartition("=")
    return (group.strip(), role.strip()) if sign and group.strip() and role.strip() else None


_ISSUER = mark("Write the issuer as the provider does, for example https://login.example.com/tenant.")
_DOMAINS = mark("Write one mail domain a line, for example example.com; at most fifty.")
_GROUPS = mark("Write one line for each group, as group = role; at most fifty.")
