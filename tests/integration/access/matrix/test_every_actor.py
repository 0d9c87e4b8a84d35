"""Every route of the live table by everybody who has no business there: refused rightly, told nothing, nothing changed.

`make test` tries a part of the product, by a printed seed; `make soak ONLY=every_actor` tries all of it.
"""

from __future__ import annotations

import re

import pytest

from app.access.decisions import permissions_of
from app.access.permissions import HIGH_IMPACT, NEVER_DELEGATED
from app.access.roles import CUSTOMER_ROLES, PARTNER_ROLES
from tests.integration.access.matrix import jobs, streams
from tests.integration.access.matrix.expected import FOR_STAFF, FOR_STAFF_OUTSIDE, FOR_VIEWERS, NOT_THERE, OPEN
from tests.integration.access.matrix.roles import Demands, closed, demanded, member_as, staff_as
from tests.integration.access.matrix.routes import Route, fill, knock, live_routes, new_key, things
from tests.integration.access.matrix.standing import Standing
from tests.integration.access.matrix.town import CONTOSO, NORTHWIND, TREASURE, Town
from tests.integration.access.matrix.tries import (
    OF_NOBODY,
    a_part,
    asks_for_something,
    leaks,
    none,
    pairs,
    swapped,
    tell_apart,
    try_all,
)

HOUSES = {"tenant", "partner"}
SLICES = [False, pytest.param(True, marks=pytest.mark.soak, id="every_actor")]


@pytest.fixture(scope="module")
def routes(town: Town) -> list[Route]:
    return live_routes(town)


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
        shut = set()
        there = [route for route in routes if route.method == "GET" and route.door in {"tenant", "partner"}]
        for route in there:
            if route.path.endswith("/stream"):
                continue
            who = town.owner if route.door == "tenant" else town.boss
            answer = knock(route, fill(route, things(town, route)), who, key=new_key())
            if answer.status not in {200, 303}:
                shut.add(f"{route.name}: {answer.status}")
        none(shut ^ NOT_FOR_OWNERS)


# What is offered to everybody is the operator's to review.
# Mail stays in sandboxes only; of a trail that nobody has signed yet there is no file; which version of its template an
# onboarding runs, and by which working times its dates are made, is the partner's to decide.
_ONBOARDING = "/t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}"
_MIGRATION = "/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/migration"
NOT_FOR_OWNERS = {
    "GET /api/v1/tenants/{tenant_id:uuid}/trail/export: 409",
    f"GET /api/v1{_MIGRATION}: 403",
    f"GET /api/v1{_MIGRATION}/plan: 403",
    "GET /api/v1/marketplace/reviews: 403",
    "GET /api/v1/marketplace/reviews/reports: 403",
    "GET /api/v1/marketplace/reviews/{version_id:uuid}: 403",
    "GET /marketplace/reviews: 403",
    "GET /marketplace/reviews/{version_id:uuid}: 403",
    f"GET {_ONBOARDING}/migration: 403",
    f"GET {_ONBOARDING}/dates/times: 403",
} | {
    f"GET {path}: 404"
    for path in (
        "/t/{tenant_id:uuid}/connections/callback",  # an answer of a peer, which nobody has here
        "/t/{tenant_id:uuid}/mails",
        "/t/{tenant_id:uuid}/mails/{message_id:uuid}",
        "/t/{tenant_id:uuid}/mails/{message_id:uuid}/letter",
    )
}


class TestEveryRoute:
    @pytest.mark.parametrize("whole", SLICES)
    def test_is_closed_to_everybody_else(self, town: Town, routes: list[Route], whole: bool):  # noqa: FBT001 - a parameter of pytest's
        none(try_all(town, a_part(pairs(town, routes), whole=whole)))

    @pytest.mark.parametrize("whole", SLICES)
    def test_says_the_same_of_what_is_not_there(self, town: Town, routes: list[Route], whole: bool):  # noqa: FBT001 - a parameter of pytest's
        some = asks_for_something(town, pairs(town, routes))
        none(tell_apart(town, a_part(some, whole=whole)))

    @pytest.mark.parametrize("whole", SLICES)
    def test_opens_nothing_of_one_place_through_the_door_of_another(
        self,
        town: Town,
        routes: list[Route],
        whole: bool,  # noqa: FBT001 - a parameter of pytest's
    ):
        """Owners, in their own house, with the ids of somebody else's things: their right goes no further than it."""
        found, before = [], Standing(town)
        for route, who, ids in a_part(list(swapped(town, routes)), whole=whole, share=3):
            answer = knock(route, path := fill(route, ids), who, key=new_key())
            if answer.status not in {403, 404, 422} and OF_NOBODY.get(route.name) != answer.status:
                found.append(f"{route.name} by {who.name}: {answer.status}")
            if who in (town.neighbour, town.rival):
                found += [f"{route.name} by {who.name}: {each}" for each in leaks(town, route, answer, path, who)]
        none(found + before.differences())


@pytest.fixture(scope="module")
def in_acme(town: Town, routes: list[Route]) -> Demands:
    """What the doors of the workspace demand beyond a viewer's role."""
    closed_to = (route for route in routes if route.door == "tenant" and route.name not in FOR_VIEWERS)
    return demanded(town, [route for route in closed_to if not route.name.startswith(NOT_THERE)], town.viewer)


@pytest.fixture(scope="module")
def at_home(town: Town, routes: list[Route]) -> Demands:
    """What the doors of the partner's house demand beyond a CSM's role."""
    return demanded(
        town, [route for route in routes if route.door == "partner" and route.name not in FOR_STAFF], town.late
    )


class TestEveryRole:
    """Each is refused what the policy does not give it, with 403: that the place is there is no secret from them."""

    @pytest.mark.parametrize("whole", SLICES)
    def test_of_a_customer_opens_no_more_than_it_holds(self, town: Town, in_acme: Demands, whole: bool):  # noqa: FBT001 - a parameter of pytest's
        for role in a_part(sorted(CUSTOMER_ROLES - {"owner"}), whole=whole):
            with member_as(town, role) as vera:
                held = permissions_of(frozenset({role}))
                none(closed(town, a_part(in_acme, whole=whole), vera, held))

    @pytest.mark.parametrize("whole", SLICES)
    def test_of_staff_opens_no_more_of_their_house(self, town: Town, at_home: Demands, whole: bool):  # noqa: FBT001 - a parameter of pytest's
        for role in a_part(sorted(PARTNER_ROLES - {"no_decisions"}), whole=whole, share=8):
            with staff_as(town, role) as tim:
                none(closed(town, a_part(at_home, whole=whole), tim, permissions_of(frozenset({role}))))

    @pytest.mark.parametrize("whole", SLICES)
    def test_of_staff_opens_no_more_by_a_delegation(self, town: Town, in_acme: Demands, whole: bool):  # noqa: FBT001 - a parameter of pytest's
        """Some things no delegation carries, whatever it says."""
        inside = [(route, what) for route, what in in_acme if route.name not in FOR_STAFF_OUTSIDE]
        for role in a_part(sorted(PARTNER_ROLES - {"no_decisions"}), whole=whole, share=8):
            with staff_as(town, role, shared=True) as tim:
                held = permissions_of(frozenset({role})) - NEVER_DELEGATED
                none(closed(town, a_part(inside, whole=whole), tim, held))

    def test_of_an_owner_takes_a_proof_where_harm_is_done(self, town: Town, in_acme: Demands):
        owner = town.someone("owner without a proof", f"olga@{TREASURE}.example")
        town.doors.prove(owner.browser, minutes_ago=16)
        harmful = [
            (route, what) for route, what in in_acme if what in HIGH_IMPACT & permissions_of(frozenset({"owner"}))
        ]
        assert harmful
        none(closed(town, harmful, owner, frozenset()))


class TestEveryJob:
    """A job acts in the workspace whose row it is, whatever ids its arguments hold."""

    @pytest.mark.parametrize("whole", SLICES)
    def test_does_nothing_to_the_things_of_another(self, town: Town, whole: bool):  # noqa: FBT001 - a parameter of pytest's
        before, places = Standing(town), (town.globex, town.umbrella)
        asked = [(place, kind.name, args) for place in places for kind, args in jobs.foreign(town)]
        for place, kind, args in a_part(asked, whole=whole, share=8):
            jobs.ask_for(town, place, kind, args)
        jobs.run_all(town)
        none(before.differences() + jobs.found_in(town, town.globex) + jobs.found_in(town, town.umbrella))
        jobs.forget(town)

    @pytest.mark.parametrize("whole", SLICES)
    def test_that_nobody_understands_stops_no_worker(self, town: Town, whole: bool):  # noqa: FBT001 - a parameter of pytest's
        wanted = [(kind.name, {"no_such": "thing"}) for kind in jobs.kinds()]
        wanted = [*a_part(wanted, whole=whole, share=12), ("no.such_kind", {})]
        strange = [jobs.ask_for(town, town.globex, kind, args) for kind, args in wanted]
        jobs.run_all(town)
        states = {town.installation.job(one).state for one in strange}
        assert states <= {"ready", "failed", "done"}, "each has come to an outcome"
        jobs.forget(town)


class TestEveryStream:
    """A stream that is open has nothing more to say once its reader may not look."""

    @pytest.mark.parametrize("how", sorted(streams.WAYS))
    def test_ends_when_the_right_is_taken_away(self, town: Town, how: str):
        with streams.open_stream(town, town.viewer) as stream:
            assert TREASURE in streams.next_event(stream).lower()
            with streams.taken_away(town, how):
                town.wake.publish([f"live:{town.acme.id}"])
                assert streams.next_event(stream) == "event: signed-out\ndata:"
                assert stream.read() == b""

    def test_tells_staff_without_access_nothing(self, town: Town):
        with streams.open_stream(town, town.late) as stream:
            assert stream.read() == b"event: signed-out\ndata:\n\n"


class TestEveryFile:
    """Files come by names that hold their content's hash, or by the ids of what they belong to."""

    @pytest.mark.parametrize(
        "name",
        [
            "../app/settings/__init__.py",
            "..%2f..%2fpyproject.toml",
            "%2e%2e/%2e%2e/pyproject.toml",
            "..%5c..%5cpyproject.toml",
            "....//....//pyproject.toml",
            "/etc/passwd",
            "%2fetc%2fpasswd",
            "app%00.js",
            "",
        ],
    )
    @pytest.mark.parametrize("place", ["/static/", "/brand/", "/t/"])
    def test_that_is_not_ours_to_give_is_not_given(self, town: Town, place: str, name: str):
        answer = town.doors.browser().get(place + name)
        assert answer.status == 404
        assert "[project]" not in answer.text
        assert "root:" not in answer.text

    def test_of_a_brand_stays_on_its_host(self, town: Town):
        page = town.doors.browser(CONTOSO).get("/sign-in").text
        [name] = set(re.findall(r"/brand/([\w.]+\.css)", page))
        assert town.doors.browser(CONTOSO).get(f"/brand/{name}").status == 200
        assert town.doors.browser(NORTHWIND).get(f"/brand/{name}").status == 404
        assert town.doors.browser("localhost").get(f"/brand/{name}").status == 404

    def test_nor_page_has_a_name_that_no_database_holds(self, town: Town, routes: list[Route]):
        found = []
        for route in routes:
            names = [name for name in route.parameters if not name.endswith("_id")]
            if names:
                path = fill(route, things(town, route) | dict.fromkeys(names, "a%00b"))
                status = knock(route, path, town.owner if route.door == "tenant" else town.boss, key=new_key()).status
                found += [f"{route.name}: {status}"] if status >= 500 or status < 400 else []
        none(found)
