"""The gallery and the demonstration's inbox."""

from __future__ import annotations

from app.web.frame import Chrome, Link
from app.web.page.gallery import gallery_context
from tests.look.examples.facts import PARTNER, Context, days

EXAMPLES: dict[str, list[Context]] = {
    "web/gallery.html": [gallery_context() | {"chrome": PARTNER}],
    "notifications/inbox.html": [
        {
            "chrome": Chrome(path="/inbox"),
            "recipient": "",
            "mails": [
                {
                    "id": "1",
                    "sender": "Dana Weber <dana@partner.example>",
                    "to": "maria@contoso.example",
                    "subject": "Your link",
                    "at": days(0),
                    "text": "Hello Maria,\n\nyou asked to sign in.\n\nSign in:\nhttp://partner.localhost:8000/l/abc\n",
                    "way": Link("Sign in", "/l/abc"),
                }
            ],
        },
        {"chrome": Chrome(path="/inbox"), "recipient": "nobody@example.com", "mails": []},
    ],
}
