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
    Lawful(r"answer POST /(api/v1|t)/.*/webhooks", r"whsec_[\w+/]{8}$", "shown once, when made: the receiver's secret"),
    Lawful(r"answer POST /(api/v1|t)/.*/inbound", r"/hooks/[\w-]{6}$", "shown once, when made: the address"),
    Lawful(r"answer POST /t/.*/dates/feed", r"/calendar/[\w-]{6}$", "shown once, when made: the address"),
    Lawful(r"answer POST /api/v1/.*service-accounts/.*/credentials", r'"secret":"[\w-]{6}$', "shown once, when made"),
    Lawful(
        r"answer POST /(t/[^ ]*|settings)/scim", r"Token: <code>[\w-]{6}$", "shown once, when made: a directory's token"
    ),
    Lawful(
        r"headers POST /preferences", rf"location: {_LINK}", "back to the page on which the reader chose a language"
    ),
    Lawful(
        r"answer POST /(t/[^ ]*/)?service-accounts/.*/credentials",
        r'id="secret" value="[\w-]{6}$',
        "shown once, when made",
    ),
    Lawful(
        r"(answer POST /t/.*/authorization|headers GET /connections/callback)",
        r"(\.[0-9a-f]{32}\.|(&|%26)code(=|%3D))[\w-]{6}$",
        "state and code of a connection's sign-in: they come back from the other system by the browser",
    ),
    Lawful(
        r"file (.*/)?valkey/users\.txt$",
        r'"slipway_superuser" "[\w-]{6}$',
        "of an embedded server, for its owner alone",
    ),
    Lawful(r"answer POST /oauth/token", r'"access_token":"[\w-]{6}$', "what software asks for there"),
    Lawful(r"answer GET /(sign-in|calendar)/\{token\}", r'="/\w[\w-]+/[\w-]{6}$', "a page's own address"),
    Lawful(r"answer GET /t/.*/mails/.*/letter", _LINK, "a sandbox's mail, which is shown instead of sent"),
    Lawful(r"headers GET /sign-in/with/", r"&state=[\w-]{6}$", "it goes to the identity provider and comes back"),
    Lawful(r"(mail|(file|demo) .*\.eml$)", _LINK, "a mail brings the link that signs its reader in"),
    Lawful(r"(file|demo) (.*/)?(\w*keys|k|keyring(-worker)?)/", r"v\d+:(\d+:)?[0-9a-f]{12}$", "the folder of keys"),
    Lawful(
        r"(server file|file|demo) (.*/)?passwords\.json", r'": "[\w-]{6}$', "of the embedded servers, for their owner"
    ),
    Lawful(r"(file|demo) .*tokens\.json", r'": "(demo-)?[\w-]{6}$', "what the demo's stand-ins know, and its hooks"),
    Lawful(r"output \[.*'demo'", _LINK, "the demo says how its made-up people come in"),
    Lawful(
        r"(write-ahead log|server file pg/base|demo pg/|file .*\.slipway/pg/|table control\.installation)",
        r'(?s)slw_[0-9a-f]{8}(.{5,9}|,"\\+x[0-9a-f]{12})$',
        "what passwords of database roles are derived from, in a table that only the owner of all roles may read",
    ),
    Lawful(r"bundle (keys/tenant|files/key)$", r"(?s).", "the part for its recipient's installation alone"),
    Lawful(r"output .*read\.py", r'"dek":"[\w+/]{8}$', "a test that opens a bundle with its recipient's key"),
)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    return tuple((re.compile(each.where), re.compile(each.before)) for each in LAWFUL)


def unlawful(finds: list[Find]) -> list[Find]:
    """Those that nothing above allows."""
    return [find for find in finds if not _is_lawful(find)]


def _is_lawful(find: Find) -> bool:
    before = find.before.replace("=\r\n", "")  # a mail breaks its lines anywhere
    return any(where.match(find.where) and words.search(before) for where, words in _patterns())
