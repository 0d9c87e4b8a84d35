"""A live stream as its reader hears it, and the ways in which their right to it ends."""

# ruff: noqa: S608 - names of our own tables

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.integration.access.matrix.town import Someone, Town

# What is taken away, and given back after the test: by the database's owner, as no door may do both.
_MEMBER = "UPDATE {}.member SET state = %s WHERE email LIKE 'vera@%%'"
_WHO = "(SELECT id FROM control.person WHERE email LIKE 'vera@%%')"
WAYS = {
    "the member is removed": (_MEMBER, "removed", "active"),
    "the session ends": (
        f"UPDATE control.session SET ended_at = %s::timestamptz WHERE person_id = {_WHO}",
        "now",
        None,
    ),
    "the session is too old": (
        f"UPDATE control.session SET expires_at = %s::timestamptz WHERE person_id = {_WHO}",
        "yesterday",
        "tomorrow",
    ),
    "the membership ends": (
        f"UPDATE control.membership SET tenant_id = %s::uuid WHERE person_id = {_WHO}",
        "globex",
        "acme",
    ),
}


@contextmanager
def open_stream(town: Town, who: Someone) -> Iterator[http.client.HTTPResponse]:
    """The stream of Acme's onboarding, opened by them."""
    ids, browser = town.things("tenant"), who.browser
    connection = http.client.HTTPConnection("127.0.0.1", town.doors.port, timeout=20)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    path = f"/t/{ids['tenant_id']}/onboardings/{ids['onboarding_id']}/stream"
    connection.request("GET", path, headers={"Host": f"{browser.host}:{browser.port}", "Cookie": cookies})
    with closing(connection), connection.getresponse() as stream:
        assert stream.status == 200
        yield stream


def next_event(stream: http.client.HTTPResponse) -> str:
    """The next event of the stream; signs of life are none."""
    while True:
        lines = list(iter(lambda: stream.readline().decode().rstrip("\n"), ""))
        assert lines, "the stream has ended without a word"
        if not lines[0].startswith(":"):
            return "\n".join(lines)


@contextmanager
def taken_away(town: Town, how: str) -> Iterator[None]:
    """The viewer's right to look, for a while."""
    statement, gone, back = WAYS[how]
    named = {"globex": str(town.globex.id), "acme": str(town.acme.id)}

    def change(value: str | None) -> None:
        value = named.get(value or "", value)
        if "{}" in statement:
            town.installation.rows(town.acme, statement, value)
        else:
            town.installation.control(statement, value)

    change(gone)
    try:
        yield
    finally:
        change(back)
