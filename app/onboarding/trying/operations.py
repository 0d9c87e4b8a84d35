"""Makes a sandbox that starts a published version, on made-up facts; the rest is as in every sandbox."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from app.templates.queries import NO_SUCH, TemplateMissing, get_published
from app.tenancy.operations.creation import TenantRequest, create_tenant
from tenants.sessions import partner_session

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_LONGEST = 80  # characters of the title in the sandbox's name


def begin_trial(runtime: Runtime, actor: Actor, wanted: tuple[UUID, str], *, key: str, trace_id: str) -> UUID:
    """A sandbox of that organisation for the version with that address; the same key gives the same one.

    Raises NotPermitted, TemplateMissing, and what `create_tenant` raises.
    """
    require(AtWork(staff_rights(actor), actor), Permission.TENANT_CREATE)
    organisation_id, digest = wanted
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, _now):
        document = get_published(session, digest)
    if "overlay" in document or "package" in document:
        raise TemplateMissing(NO_SUCH)
    name = f"{_title(document)[:_LONGEST]} {document['version']}"
    request = TenantRequest(organisation_id, "sandbox", name, f"trial:{key}", cause={"template_digest": digest})
    return create_tenant(runtime, actor, request, trace_id=trace_id).id


def _title(document: Mapping[str, Any]) -> str:
    """The title in the template's own language, with its own words where a brand would put others."""
    language, texts = document["default_locale"], document.get("texts", {})
    return _PLACEHOLDER.sub(lambda found: texts[found[1]][language], document["title"][language])
