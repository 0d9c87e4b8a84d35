"""Every route of the live table by everybody who has no business there: refused rightly, told nothing, nothing changed.

`make test` tries a part of the product, by a printed seed; `make soak ONLY=every_actor` tries all of it.
"""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Iterable, Sequence

import pytest

from app.kernel.ids import new_id
from tests.factories.doors import Answer
from tests.integration.access.matrix.expected import FOR_STAFF, FOR_STAFF_OUTSIDE, FOR_VIEWERS, OPEN, expected
from tests.integration.access.matrix.routes import Route, fill, knock, live_routes, new_key, things
from tests.integration.access.matrix.standing import Standing
from tests.integration.access.matrix.town import TREASURES, Someone, Town

SHARE = 4  # of the product, one in so many pairs is tried in `make test`
_PASSING = {"date", "x-trace-id", "x-request-id", "ratelimit", "ratelimit-policy", "content-length"}
_ANY_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|nonce-[\w+/=-]+")
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
        found += leaks(town, answer, path, who)
    return [f"{route.name} by {who.name}: {each}" for each in found]


def _may_read(town: Town, route: Route, who: Someone) -> bool:
    """Whether this is one of the answers that tell of Acme, honestly."""
    if who in town.staff:
        return FOR_STAFF.get(route.name) == 200 or route.name in FOR_STAFF_OUTSIDE
    return who in town.small and route.door == "tenant"


def leaks(town: Town, answer: Answer, path: str, who: Someone) -> list[str]:
    """Words and ids that somebody without any business in Acme must not be told."""
    said = f"{answer.text}\n{answer.headers}".lower()
    told = [word for word in TREASURES if word in said]
    told += [f"the {name}" for name, one in town.secrets().items() if one in said and one not in path]
    if who.host == "contoso.localhost" and "northwind" in said:
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
        assert shut == NOT_FOR_OWNERS


# There is no mail in a customer's workspace, no export, no import, no erasure.
NOT_FOR_OWNERS: list[str] = []


class TestEveryRoute:
    @pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.soak, id="every_actor")])
    def test_is_closed_to_everybody_else(self, town: Town, routes: list[Route], whole: bool):
        assert try_all(town, a_part(pairs(town, routes), whole=whole)) == []

    @pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.soak, id="every_actor")])
    def test_says_the_same_of_what_is_not_there(self, town: Town, routes: list[Route], whole: bool):
        some = _asks_for_something(town, pairs(town, routes))
        assert tell_apart(town, a_part(some, whole=whole)) == []
