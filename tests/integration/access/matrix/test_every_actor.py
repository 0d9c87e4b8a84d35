"""Every route of the live table by everybody who has no business there: refused rightly, told nothing, nothing changed.

`make test` tries a part of the product, by a printed seed; `make soak ONLY=every_actor` tries all of it.
"""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence

import pytest

from app.kernel.ids import new_id
from tests.factories.doors import Answer
from tests.integration.access.matrix.expected import FOR_STAFF, FOR_STAFF_OUTSIDE, FOR_VIEWERS, OPEN, expected
from tests.integration.access.matrix.routes import Route, fill, knock, live_routes, new_key, things
from tests.integration.access.matrix.standing import Standing
from tests.integration.access.matrix.town import CONTOSO, TREASURES, Someone, Town

SHARE = 4  # of the product, one in so many pairs is tried in `make test`
_PASSING = {"date", "x-trace-id", "x-request-id", "ratelimit", "ratelimit-policy", "content-length"}
_ANY_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|nonce-[\w+/=-]+")
EXAMPLES = {"GET /api/openapi.json"}  # a partner of that name is its example
Pair = tuple[Route, Someone]


@pytest.fixture(scope="module")
def routes(town: Town) -> list[Route]:
    return live_routes(town)


def pairs(town: Town, routes: Iterable[Route]) -> list[Pair]:
    """Each route with each of them. One's own account, language and session are one's own: those are for strangers."""
    found = []
    for route in routes:
        own = route.door == "signed_in" and not route.parameters
        crowd = town.strangers if own or route.name in OPEN else town.crowd
        found += [(route, who) for who in crowd if not _streams_on(town, route, who)]
    return found


def _streams_on(town: Town, route: Route, who: Someone) -> bool:
    """A stream that is not refused has no end; `test_streams` listens to it."""
    return route.path.endswith("/stream") and who is town.viewer


def a_part(some: Sequence[Pair], *, whole: bool) -> Sequence[Pair]:
    """The slice of this run, or all."""
    if whole:
        return some
    seed = secrets.randbelow(2**32)
    print(f"\nseed {seed}: one in {SHARE} of {len(some)} tries")
    return random.Random(seed).sample(some, len(some) // SHARE)  # noqa: S311 - a choice of tests


def trouble_with(town: Town, route: Route, who: Someone, answer: Answer, path: str) -> list[str]:
    """What is wrong with an answer, in words."""
    found = []
    wanted = expected(town, route, who)
    if answer.status not in wanted:
        found.append(f"{answer.status} instead of {sorted(wanted)}")
    if answer.status == 303 and 303 in wanted and who in town.strangers and route.name not in OPEN:
        found += [] if answer.headers["location"].startswith("/sign-in") else ["leads elsewhere than to the sign-in"]
    if not _may_read(town, route, who):
        found += leaks(town, route, answer, path, who)
    return [f"{route.name} by {who.name}: {each}" for each in found]


def _may_read(town: Town, route: Route, who: Someone) -> bool:
    """Whether this is one of the answers that tell of Acme, honestly."""
    if who in town.staff:
        return FOR_STAFF.get(route.name) == 200 or route.name in FOR_STAFF_OUTSIDE
    return who in town.small and route.door == "tenant"


def leaks(town: Town, route: Route, answer: Answer, path: str, who: Someone) -> list[str]:
    """Words and ids that somebody without any business in Acme must not be told."""
    said = f"{answer.text}\n{answer.headers}".lower()
    told = [word for word in TREASURES if word in said]
    hidden = town.secrets("tenant") if route.name in OPEN else town.secrets("tenant") | town.secrets("partner")
    told += [f"the {name}" for name, one in hidden.items() if one in said and one not in path]
    if who.host == CONTOSO and "northwind" in said and route.name not in EXAMPLES:
        told.append("the other partner's name")
    return [f"told {each}" for each in told]


def plain(answer: Answer) -> tuple[int, dict[str, str], str]:
    """An answer without what differs each time: trace, nonce, keys, the ids that were asked for."""
    headers = {name: _ANY_ID.sub("·", value) for name, value in answer.headers.items() if name not in _PASSING}
    return answer.status, headers, _ANY_ID.sub("·", answer.text)


def try_all(town: Town, some: Iterable[Pair]) -> list[str]:
    """Knock everywhere; everything that is wrong."""
    found, before = [], Standing(town)
    for route, who in some:
        path = fill(route, things(town, route))
        found += trouble_with(town, route, who, knock(route, path, who, key=new_key()), path)
    if changed := before.differences():
        found += [f"changed: {each}" for each in changed] + _who_changed(town, some)
    return found


def _who_changed(town: Town, some: Iterable[Pair]) -> list[str]:
    """Once more, one by one, since something has changed: by whom."""
    for route, who in some:
        if route.changes:
            before = Standing(town)
            knock(route, fill(route, things(town, route)), who, key=new_key())
            if changed := before.differences():
                return [f"{route.name} by {who.name} changed {changed}"]
    return ["nobody changes it a second time"]


def tell_apart(town: Town, some: Iterable[Pair]) -> list[str]:
    """Where somebody without business learns whether a thing exists."""
    found = []
    for route, who in some:
        there = things(town, route)
        absent = there | {name: str(new_id()) for name in there if name.endswith("_id")}
        answers = [plain(knock(route, fill(route, ids), who, key=new_key())) for ids in (there, absent)]
        if answers[0] != answers[1]:
            found.append(f"{route.name} by {who.name}: {answers[0]} is not {answers[1]}")
    return found


def _asks_for_something(town: Town, some: Iterable[Pair]) -> list[Pair]:
    told = [pair for pair in some if any(name.endswith("_id") for name in pair[0].parameters)]
    return [(route, who) for route, who in told if who in (*town.strangers, *town.outsiders) and route.name not in OPEN]


def none(troubles: Iterable[str]) -> None:
    """No trouble at all; else every one, a line each."""
    found = sorted(troubles)
    assert not found, "\n".join(["", *found])


class TestTheTable:
    def test_knows_every_door_that_is_open_to_anybody(self, routes: list[Route]):
        public = {route.name for route in routes if route.door in {"public", "hook"}}
        assert public == OPEN.keys(), "a new public door says here why it is one"

    def test_names_no_route_that_is_gone(self, routes: list[Route]):
        names = {route.name for route in routes}
        for table in (OPEN, FOR_VIEWERS, FOR_STAFF, FOR_STAFF_OUTSIDE):
            assert table.keys() <= names

    def test_would_show_the_treasure_to_who_may_see_it(self, town: Town, routes: list[Route]):
        """Else nothing would be proven: the things are there, and the doors open."""
        shut = []
        for route in routes:
            who = town.owner if route.door == "tenant" else town.boss
            if route.method != "GET" or route.door not in {"tenant", "partner"} or route.path.endswith("/stream"):
                continue
            answer = knock(route, fill(route, things(town, route)), who, key=new_key())
            if answer.status not in {200, 303}:
                shut.append(f"{route.name}: {answer.status}")
        none(set(shut) ^ NOT_FOR_OWNERS)


# Of these there is none: mail that stays (a sandbox's), a transfer, an erasure.
NOT_FOR_OWNERS = {
    f"GET {path}: 404"
    for path in (
        "/api/v1/tenants/imports/{import_id:uuid}",
        "/api/v1/tenants/{tenant_id:uuid}/erasure",
        "/api/v1/tenants/{tenant_id:uuid}/exports/{export_id:uuid}",
        "/api/v1/tenants/{tenant_id:uuid}/exports/{export_id:uuid}/bundle",
        "/t/{tenant_id:uuid}/mails",
        "/t/{tenant_id:uuid}/mails/{message_id:uuid}",
        "/t/{tenant_id:uuid}/mails/{message_id:uuid}/letter",
    )
}


class TestEveryRoute:
    @pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.soak, id="every_actor")])
    def test_is_closed_to_everybody_else(self, town: Town, routes: list[Route], whole: bool):
        none(try_all(town, a_part(pairs(town, routes), whole=whole)))

    @pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.soak, id="every_actor")])
    def test_says_the_same_of_what_is_not_there(self, town: Town, routes: list[Route], whole: bool):
        some = _asks_for_something(town, pairs(town, routes))
        none(tell_apart(town, a_part(some, whole=whole)))

    def test_opens_nothing_of_one_place_through_the_door_of_another(self, town: Town, routes: list[Route]):
        """Owners, in their own house, with the ids of somebody else's things: their right goes no further than it."""
        found, before = [], Standing(town)
        for route, who, ids in swapped(town, routes):
            answer = knock(route, path := fill(route, ids), who, key=new_key())
            if answer.status not in {403, 404, 422} and OF_NOBODY.get(route.name) != answer.status:
                found.append(f"{route.name} by {who.name}: {answer.status}")
            if who in (town.neighbour, town.rival):
                found += [f"{route.name} by {who.name}: {each}" for each in leaks(town, route, answer, path, who)]
        none(found + before.differences())


# What is refused with a friendly status: another's session goes on, and a stream says that it is over.
OF_NOBODY = {
    "POST /account/sessions/{session_id:uuid}/end": 303,
    "GET /t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/stream": 200,
}


def swapped(town: Town, routes: Iterable[Route]) -> Iterator[tuple[Route, Someone, dict[str, str]]]:
    """Each route that names a thing: Acme's thing in another workspace, in another house, and in the partner's own."""
    theirs, ours = town.things("tenant"), town.things("partner")
    for route in routes:
        inner = {name for name in route.parameters if name.endswith("_id")} - {"tenant_id"}
        if not inner or route.name in OPEN:
            continue
        base = things(town, route)
        if route.door == "tenant":
            yield route, town.neighbour, base | theirs_in(base, theirs) | {"tenant_id": str(town.globex.id)}
            if inner & _OF_BOTH:
                yield route, town.owner, base | {name: ours[name] for name in _OF_BOTH}
        else:
            yield route, town.rival, base | {"tenant_id": str(town.umbrella.id)}
            if inner & _OF_BOTH:
                yield route, town.boss, base | {name: theirs[name] for name in _OF_BOTH}


_OF_BOTH = {"account_id", "credential_id", "directory_id", "connection_id", "person_id"}


def theirs_in(base: dict[str, str], theirs: dict[str, str]) -> dict[str, str]:
    """Acme's own ids, with the steps of the route."""
    return theirs | {name: base[name] for name in ("step", "key")}
