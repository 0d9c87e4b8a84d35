"""Two inboxes for mail that does not leave: the demonstration's, on this machine's own host only, and a sandbox's."""

from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get
from litestar.params import FromPath, FromQuery

from app.kernel.paging import CursorKey
from app.notifications.compose import one_line
from app.notifications.drafting import draft_of
from app.notifications.links import kept_link
from app.notifications.mail_folder import MailFolder, StoredMail, link_name
from app.notifications.postroom import written
from app.notifications.queries import StoredLetter, get_kept, list_kept, signs_in
from app.web.begin import NothingHere, begin_work, runtime_of, site_of, visit_of
from app.web.frame import Link
from app.web.page.ways import staff_nav
from app.web.responses import HTML, page
from app.web.security import CONTENT_SECURITY_POLICY
from app.web.translations import mark
from tenants.tenant import Tenant

PageRequest = Request[Any, Any, Any]
_SHOWN = 50
# A mail has its own styles and no scripts; it stands in a frame of our page, and its links open beside both.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self';"
    " sandbox allow-popups allow-popups-to-escape-sandbox"
)
_FRAME_POLICY = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"


class InboxPages(Controller):
    """Where the demo's people read their mail. Settings refuse it when other hosts than localhost are served."""

    opt = {"door": "public"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/inbox", sync_to_thread=True)
    def inbox(self, request: PageRequest, to: FromQuery[str] = "") -> Response[str]:
        """The newest mails, all or those to one address. A brand's host has no inbox: it would show other brands."""
        folder = runtime_of(request).services.get(MailFolder)
        if not isinstance(folder, MailFolder) or site_of(request).kind != "platform":
            raise NothingHere(mark("Nothing is served under this address."))
        mails = [shown(mail) for mail in folder.messages(to=to or None)[:_SHOWN]]
        return page(request, "notifications/inbox.html", {"mails": mails, "recipient": to})


def shown(mail: StoredMail) -> dict[str, Any]:
    """A mail as the page shows it: its text and the link that it is about, never its HTML."""
    sent = next((value for name, value in mail.headers if name.lower() == "date"), "")
    return {
        "id": mail.id,
        "sender": mail.sender,
        "to": mail.to,
        "subject": mail.subject,
        "at": parsedate_to_datetime(sent),
        "text": mail.text,
        "way": Link(link_name(mail.html, mail.links[0]), mail.links[0]) if mail.links else None,
    }


class SandboxMailPages(Controller):
    """What a sandbox would have mailed: for the partner's staff who try it."""

    path = "/t/{tenant_id:uuid}/mails"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def mails(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        after: FromQuery[str] = "",
        limit: FromQuery[int | None] = None,
    ) -> Response[str]:
        """The kept mails, a page at a time."""
        key = runtime_of(request).service(CursorKey).value
        with begin_work(request, tenant_id) as work:
            found, tenant = list_kept(work, key=key, after=after, limit=limit), tenant_view(work.tenant)
        mails = [mail_line(request, tenant_id, letter) for letter in found.letters]
        context = {"tenant": tenant, "mails": mails, "total": found.total, "first": bool(after), "older": found.older}
        return page(request, "notifications/sandbox_mails.html", context, nav=staff_nav(request))

    @get("/{message_id:uuid}", sync_to_thread=True)
    def mail(self, request: PageRequest, tenant_id: FromPath[UUID], message_id: FromPath[UUID]) -> Response[str]:
        """One mail, in a frame."""
        with begin_work(request, tenant_id) as work:
            letter, tenant = get_kept(work, message_id), tenant_view(work.tenant)
            opens = {"signs_in": signs_in(work, letter)}
        context = {"tenant": tenant, "mail": mail_line(request, tenant_id, letter) | opens}
        answer = page(request, "notifications/sandbox_mail.html", context, nav=staff_nav(request))
        answer.set_header("content-security-policy", _FRAME_POLICY)
        return answer

    @get("/{message_id:uuid}/letter", sync_to_thread=True)
    def letter(self, request: PageRequest, tenant_id: FromPath[UUID], message_id: FromPath[UUID]) -> Response[str]:
        """The mail itself, as its reader would see it; the link in it is made for this very look."""
        with begin_work(request, tenant_id) as work:
            letter = get_kept(work, message_id)
        runtime, site, tenant = runtime_of(request), site_of(request), visit_of(request).tenant
        link = kept_link(runtime, site, tenant, letter) if tenant else ""
        text = written(draft_of(letter, site.brand, link=link, now=letter.at), "body.html")
        beside = text.replace("<head>", '<head><base target="_blank">', 1)
        return Response(beside, media_type=HTML, headers={"content-security-policy": _MAIL_POLICY})


def tenant_view(tenant: Tenant) -> dict[str, str]:
    """The sandbox as its mail pages name it."""
    return {"name": tenant.name, "path": f"/t/{tenant.id}"}


def mail_line(request: PageRequest, tenant_id: UUID, letter: StoredLetter) -> dict[str, Any]:
    """One mail in a list: no link in it, so looking at the list makes none."""
    subject = written(draft_of(letter, site_of(request).brand, link="", now=letter.at), "subject.txt")
    path = f"/t/{tenant_id}/mails/{letter.id}"
    return {
        "subject": one_line(subject),
        "name": letter.name,
        "email": letter.email,
        "locale": letter.locale,
        "at": letter.at,
        "path": path,
        "letter": f"{path}/letter",
    }
