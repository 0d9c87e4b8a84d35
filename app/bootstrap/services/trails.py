"""What the trail asks of those above it: who signs its checkpoints, who may look into it, who writes refusals down."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import require
from app.audit.gate import Gate
from app.audit.operations.refusals import Known, Refused, note_refusal
from app.audit.signing import Signers
from app.kernel.actor import Actor
from app.kernel.errors import SlipwayError
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from app.partners.queries import SiteDirectory
from app.vault.keyring import Keyring
from app.vault.trail_keys import TrailKeys
from app.web.visit import Refusals
from tenants.engines import Databases
from tenants.tenant import Tenant


def trail_services(keyring: Keyring, databases: Databases, public_url: str) -> dict[type, object]:
    """The services of every program. A trail is named after its partner's host: no reader meets the platform's name."""
    sites, known, public = SiteDirectory(databases), Known(), urlsplit(public_url)

    def host_of(tenant: Tenant) -> str:
        try:
            host = sites.site_of(tenant.organisation_id).host
        except SlipwayError:  # an organisation that nobody reaches by a host of its own
            return public.netloc
        return f"{host}:{public.port}" if public.port else host

    def note(runtime: Runtime, actor: Actor, tenant: Tenant | None, permission: str, trace_id: str) -> None:
        note_refusal(runtime, Refused(actor, permission, tenant, trace_id), known=known)

    return {Signers: Signers(TrailKeys(keyring, host_of)), Gate: Gate(_require, _may), Refusals: Refusals(note)}


def _may(work: Work, permission: str) -> bool:
    return can(work.rights, permission)


def _require(work: Work, permission: str) -> None:
    require(work, Permission(permission))
