"""The demonstration's inbox: every mail that would have left. It exists on this machine's own host only."""

from email.utils import parsedate_to_datetime
from typing import Any

from litestar import Controller, Request, Response, get
from litestar.params import FromQuery

from app.notifications.mail_folder import MailFolder, StoredMail, link_name
from app.web.begin import NothingHere, runtime_of, site_of
from app.web.frame import Link
from app.web.responses import page
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
_SHOWN = 50


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
