"""The mails that a sandbox keeps."""

from __future__ import annotations

from dataclasses import replace

from tests.look.examples.facts import PARTNER, Context, days

_PATH = "/t/0192f0c1"
_MARA = {"name": "Mara Sample", "email": "mara@4be46a1c0f7d.sandbox.example", "signs_in": True}
_ROBIN = {"name": "Robin Sample", "email": "robin@4be46a1c0f7d.sandbox.example", "signs_in": False}
_MAILS = [
    {
        "subject": subject,
        "at": days(age),
        "path": f"{_PATH}/mails/0192f0c9",
        "letter": "../emails/task_opened/body.html",
    }
    | reader
    for subject, age, reader in (
        ("Please do this next: Tell us about your mailboxes", -0.1, _MARA),
        ("A decision is yours: Handoff quality", -1, _ROBIN),
        ("Please do this next: Name who comes to the training", -2, _MARA),
    )
]
_PAGE: Context = {
    "chrome": replace(PARTNER, path="/t/0192f0c1/mails"),
    "tenant": {"name": "Practice", "path": _PATH},
    "mails": _MAILS,
    "total": 53,
    "first": False,
    "older": "c",
}
EXAMPLES: dict[str, list[Context]] = {
    "notifications/sandbox_mails.html": [_PAGE, _PAGE | {"mails": [], "total": 0, "older": ""}],
    "notifications/sandbox_mail.html": [_PAGE | {"mail": _MAILS[0]}, _PAGE | {"mail": _MAILS[1]}],
}
