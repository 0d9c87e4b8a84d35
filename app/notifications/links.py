"""The link in a letter: made when the letter is sent, for this reader, to the page that the letter is about."""

from __future__ import annotations

from app.identity.operations import create_link
from app.kernel.runtime import Runtime
from app.notifications.operations import QueuedLetter
from app.partners.queries import SiteDirectory
from app.web.hosts import Site
from tenants.tenant import Tenant


def letter_link(runtime: Runtime, tenant: Tenant, letter: QueuedLetter) -> tuple[Site, str]:
    """The brand's site and the link's address, which is stored nowhere. Raises MayNotSignIn, NoSite."""
    site = runtime.service(SiteDirectory).site_of(tenant.organisation_id)
    path = f"/t/{tenant.id}/onboardings/{letter.onboarding_id}" if letter.onboarding_id else f"/t/{tenant.id}"
    return site, create_link(runtime, site, person_id=letter.recipient_id, next_path=path)
