"""The link in a letter: made when the letter is sent, for this reader, to the page that the letter is about."""

from __future__ import annotations

from app.identity.operations import MayNotSignIn, create_link
from app.identity.rules import is_made_up
from app.kernel.runtime import Runtime
from app.notifications.queries import CHECKPOINT, StoredLetter
from app.partners.queries import SiteDirectory
from app.web.hosts import Site
from app.web.security import Front
from tenants.tenant import Tenant


def letter_link(runtime: Runtime, tenant: Tenant, letter: StoredLetter) -> tuple[Site, str]:
    """The brand's site and the link's address, which is stored nowhere. Raises MayNotSignIn, NoSite.

    A checkpoint goes to an address, not to a person: its link opens nothing.
    """
    site = runtime.service(SiteDirectory).site_of(tenant.organisation_id)
    if letter.kind == CHECKPOINT:
        return site, runtime.service(Front).url(site.host, f"/t/{tenant.id}/trail")
    return site, create_link(runtime, site, person_id=letter.recipient_id, next_path=_path(tenant, letter))


def kept_link(runtime: Runtime, site: Site, tenant: Tenant, letter: StoredLetter) -> str:
    """The same link for who reads a sandbox's mail in its reader's place. Each look makes a fresh one.

    Only a made-up person's link signs in: a letter to anybody else leads to its page, and there to the reader's own
    sign-in. So no mail that a sandbox keeps is ever a way to act as a real person.
    """
    if is_made_up(letter.email):
        try:
            return create_link(runtime, site, person_id=letter.recipient_id, next_path=_path(tenant, letter))
        except MayNotSignIn:
            pass  # the sandbox's own made-up staff: they have no role with the partner, and nothing to sign in to
    return runtime.service(Front).url(site.host, _path(tenant, letter))


def _path(tenant: Tenant, letter: StoredLetter) -> str:
    if tenant.kind == "home":
        return str(letter.facts.get("page") or "/")
    if letter.onboarding_id:
        return f"/t/{tenant.id}/onboardings/{letter.onboarding_id}{letter.facts.get('page', '')}"
    return f"/t/{tenant.id}{letter.facts.get('page', '')}"
