"""A try of a door, and everything that can be wrong with its answer."""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from app.kernel.ids import new_id
from tests.factories.doors import Answer
from tests.integration.access.matrix.expected import FOR_STAFF, FOR_STAFF_OUTSIDE, OF_ONES_OWN, OPEN, expected
from tests.integration.access.matrix.routes import Route, fill, knock, new_key, things
from tests.integration.access.matrix.standing import Standing
from tests.integration.access.matrix.town import CONTOSO, TREASURES, Someone, Town

SHARE = 6  # of the product, one in so many pairs is tried in `make test`
_PASSING = {"date", "x-trace-id", "x-request-id", "ratelimit", "ratelimit-policy", "content-length"}
_ANY_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|nonce-[\w+/=-]+")
EXAMPLES = {"GET /api/openapi.json"}  # a partner of that name is its example
Pair = tuple[Route, Someone]
Picked = TypeVar("Picked")


def pairs(town: Town, routes: Iterable[Route]) -> list[Pair]:
    """Each route with each of them. One's own account, language and session are one's own: those are for strangers."""
    found = []
    for route in routes:
        own = route.door == "signed_in" and not route.parameters
        crowd = town.strangers if own or route.name in OPEN else town.crowd
        above = (
            [town.above] if route.door == "tenant" else []
        )  # whoever runs the installation does not see into tenants
        found += [(route, who) for who in (*crowd, *above) if not _streams_on(town, route, who)]
    return found


def _streams_on(town: Town, route: Route, who: Someone) -> bool:
    """A stream that is not refused has no end; `test_streams` listens to it."""
    return route.path.endswith("/stream") and who is town.viewer


def a_part(some: Sequence[Picked], *, whole: bool, share: int = SHARE) -> Sequence[Picked]:
    """The slice of this run, or all."""
    if whole:
        return some
    seed = secrets.randbelow(2**32)
    print(f"seed {seed}: one in {share} of {len(some)}")  # noqa: T201 - pytest shows it with a failure
    return random.Random(seed).sample(some, -(-len(some) // share))  # noqa: S311 - a choice of tests


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
    if who in (*town.staff, town.above):
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
    own = tuple(end for route, who in some if who in town.small for end in OF_ONES_OWN.get(route.name, ()))
    if changed := [each for each in before.differences() if not each.endswith(own)]:
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


def asks_for_something(town: Town, some: Iterable[Pair]) -> list[Pair]:
    told = [pair for pair in some if any(name.endswith("_id") for name in pair[0].parameters)]
    return [(route, who) for route, who in told if who in (*town.strangers, *town.outsiders) and route.name not in OPEN]


def none(troubles: Iterable[str]) -> None:
    """No trouble at all; else every one, a line each."""
    found = sorted(troubles)
    assert not found, "\n".join(["", *found])


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
