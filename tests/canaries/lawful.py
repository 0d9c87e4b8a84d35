"""Where a secret may stand, each with its reason: in what, and right after which words. Everywhere else is a find."""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

from tests.canaries.marks import Find

_LINK: Final = r"/sign-in/[\w-]{6}$"


class Lawful(NamedTuple):
    """`where` and `before` are patterns of a find's."""

    where: str
    before: str
    why: str


LAWFUL: Final = (
    Lawful(
        r"answer POST /(api/v1|t)/.*/webhooks", r"whsec_[\w+/]{8}$", "the receiver's secret is shown once, when made"
    ),
    Lawful(r"answer POST /(api/v1|t)/.*/inbound", r"/hooks/[\w-]{6}$", "the address is shown once, when made"),
    Lawful(r"answer GET /sign-in/\{token\}", _LINK, "the page of a mailed link says where to come back to: itself"),
    Lawful(
        r"headers GET /sign-in/with/", r"&state=[\w-]{6}$", "the state goes to the identity provider and comes back"
    ),
    Lawful(r"(mail|file .*\.eml) ?", _LINK, "a mail brings the link that signs its reader in"),
    Lawful(
        r"file .*keys/[\w.-]+$", r"v\d+:[0-9a-f]{12}$", "the folder of keys, which the product keeps out of databases"
    ),
    Lawful(
        r"server file passwords\.json", r'": "[\w-]{6}$', "passwords of the embedded servers, readable by their owner"
    ),
    Lawful(
        r"(write-ahead log|server file pg/base)",
        r"(?s)slw_[0-9a-f]{8}.{5,9}$",
        "what passwords of database roles are derived from stands in a table that only the owner of all roles may read",
    ),
)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    return tuple((re.compile(each.where), re.compile(each.before)) for each in LAWFUL)


def unlawful(finds: list[Find]) -> list[Find]:
    """Those that nothing above allows."""
    return [find for find in finds if not any(w.match(find.where) and b.search(find.before) for w, b in _patterns())]
