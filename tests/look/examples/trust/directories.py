"""The page of directories: a partner's in use, its token just made, and a customer's that is new."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from app.identity.scim.setup.queries import DirectoryView, GroupView, RequestView, explain
from tests.look.examples.facts import CUSTOMER, KEY, PARTNER, Context, days

_FINANCE = UUID("0192f0c1-7d1e-7000-8000-0000000000f1")
_STAFF = UUID("0192f0c1-7d1e-7000-8000-0000000000f2")


def _sent(method: str, place: str, status: int, scim_type: str | None = None, ago: float = 0.1) -> RequestView:
    return RequestView(days(-ago), method, place, status, explain(method, status, scim_type))


_DIRECTORY = DirectoryView(
    id=UUID("0192f0c1-7d1e-7000-8000-0000000000d1"),
    name="Entra ID",
    state="active",
    default_role="csm",
    made_by="Ada Byron",
    made_at=days(-40),
    used_at=days(-0.1),
    old_token_until=days(6),
    users=214,
    behind=3,
    groups=(GroupView(_FINANCE, "Finance", "finance", 12), GroupView(_STAFF, "All staff", None, 214)),
    requests=(
        _sent("PATCH", "/Users/… replace active", 200),
        _sent("GET", "/Users userName eq", 200, ago=0.2),
        _sent("POST", "/Users", 409, "uniqueness", ago=0.3),
    ),
)
_PAGE: Context = {
    "chrome": replace(PARTNER, path="/settings/scim"),
    "path": "/settings/scim",
    "of_staff": True,
    "tenant": {"name": "Northwind", "path": "/t/0192f0c1"},
    "directories": [_DIRECTORY],
    "roles": ("partner_admin", "onboarding_lead", "csm", "implementation", "finance", "technical", "auditor"),
    "address": "https://northwind.example/scim/v2",
    "token": "",
    "token_gone": False,
    "typed": {"name": "", "default_role": ""},
    "errors": [],
    "command_key": KEY,
}
_NEW = replace(_DIRECTORY, users=0, behind=0, groups=(), requests=(), used_at=None, old_token_until=None)
_THEIRS: Context = {
    "chrome": replace(CUSTOMER, path="/t/0192f0c1/scim"),
    "path": "/t/0192f0c1/scim",
    "of_staff": False,
    "tenant": {"name": "Contoso", "path": "/t/0192f0c1"},
    "roles": ("admin", "contributor", "viewer"),
}
EXAMPLES: dict[str, list[Context]] = {
    "identity/scim/directories.html": [
        _PAGE,
        _PAGE | {"directories": [_NEW], "token": "8Z1qk0w3VbqkC2xkq5hN7r4yJm6tLd9sPa0eUfGiHjK"},
        _PAGE | _THEIRS | {"directories": [], "errors": [("name", "Fill in this field.")]},
        _PAGE | _THEIRS | {"directories": [replace(_NEW, state="disabled")], "roles": (), "token_gone": True},
    ]
}
