"""Backpressure at the door: while jobs wait too long, software begins nothing new; all else goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.bootstrap.routes import make_application
from app.kernel.ids import new_id
from app.kernel.queue.fair.ages import Waits
from app.kernel.queue.standing import hand_out_again, stop_handing_out
from app.web.guard.backlog import Backlog, QueueTooOld
from tests.factories.api import API

TENANTS = "/api/v1/tenants"
_WAITS = """
    INSERT INTO cell.job (tenant_id, id, kind, queue, args, dedupe_key, run_at, state, attempts, epoch, trace_id,
        created_at, lane, lane_seq)
    SELECT id, %s, 'tests.wait', %s, '{}', %s, now() - make_interval(secs => %s), %s, 0, 0, '', now(), %s, %s
    FROM cell.tenant WHERE state = 'active' ORDER BY id LIMIT %s
"""


def wait(
    api: API,
    seconds: float,
    *,
    state: str = "ready",
    lane: str | None = None,
    seq: int | None = None,
    tenants: int = 100,
    queue: str = "default",
) -> None:
    """A job that could have been at work for so long, of each of so many tenants."""
    job_id = new_id()
    api.installation.cell(_WAITS, job_id, queue, str(job_id), seconds, state, lane, seq, tenants)


@pytest.fixture(autouse=True)
def _nothing_waits(api: API) -> Iterator[None]:
    yield
    api.installation.cell("DELETE FROM cell.job WHERE kind = 'tests.wait'")


class Clock:
    """Seconds that only a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class TestADoorThatBeginsWork:
    def test_answers_429_before_anything_is_written_and_everything_else_goes_on(self, api: API):
        first = api.admin.post(TENANTS, {"name": "First"})
        assert first.status == 201
        assert api.admin.post(TENANTS, {"name": "Beside"}).status == 201  # where only one waits, nobody else would
        wait(api, 121)
        api.doors.runtime.service(Backlog)._seen.clear()
        before = api.installation.control("SELECT count(*) FROM control.tenant")
        for path, body in ((TENANTS, {"name": "Second"}), (f"{TENANTS}/bulk", {"items": [{"name": "C", "key": "c"}]})):
            refused = api.admin.post(path, body, key="the-same")
            assert (refused.status, refused.problem) == (429, "queue-too-old")
            assert refused.headers["content-type"] == "application/problem+json"
            assert 5 <= int(refused.headers["retry-after"]) <= 300
            assert refused.body["limit_seconds"] == "120"
            assert 121 <= int(refused.body["oldest_job_seconds"]) < 300
            assert "Nothing was begun" in refused.body["detail"]
        assert api.installation.control("SELECT count(*) FROM control.tenant") == before
        assert api.admin.get(first.headers["location"]).status == 200
        change = {"name": "Renamed"}
        assert api.admin.patch(first.headers["location"], change, version=first.headers["etag"]).status == 200
        api.installation.cell("DELETE FROM cell.job WHERE kind = 'tests.wait'")
        api.doors.runtime.service(Backlog)._seen.clear()
        assert api.admin.post(TENANTS, {"name": "Second"}, key="the-same").status == 201  # the refusal was not kept

    def test_is_every_one_that_makes_tenants_or_onboardings(self):
        begins = set()
        for route in make_application(None).routes:
            for handler in getattr(route, "route_handlers", []):
                if "POST" in getattr(handler, "http_methods", ()) and route.path.startswith("/api/v1/"):
                    wants = str(handler.operation_id).split(".")[-1].startswith(("create", "import", "start"))
                    wants = wants and str(handler.operation_id).split(".")[0] in {"tenants", "onboardings"}
                    assert bool(handler.opt.get("begins_work")) == wants, route.path
                    begins |= {str(handler.operation_id)} if wants else set()
        assert begins >= {"tenants.create", "tenants.createMany", "tenants.import"}


class TestTheLook:
    @pytest.fixture
    def backlog(self, api: API) -> Backlog:
        return Backlog(api.installation.databases, 60, clock=Clock())

    def test_minds_only_what_waits_for_a_worker_and_for_nothing_else(self, api: API, backlog: Backlog):
        wait(api, 900, state="running")
        wait(api, 900, state="dispatched")
        wait(api, 900, state="done")
        wait(api, -900)
        wait(api, -900, lane="one", seq=1)
        wait(api, 900, lane="one", seq=2)  # its lane waits for a later try
        backlog.require_room(["main"])

    def test_is_one_query_in_two_seconds_however_many_ask(self, api: API, backlog: Backlog):
        clock: Any = backlog.clock
        backlog.require_room(["main"])
        wait(api, 61)
        for _request in range(50):
            backlog.require_room(["main"])  # as it was last seen
        clock.now += 2.1
        with pytest.raises(QueueTooOld):
            backlog.require_room(["main"])

    def test_lets_a_new_tenant_in_while_one_cell_has_room(self, api: API, backlog: Backlog):
        wait(api, 61)
        with pytest.raises(QueueTooOld):
            backlog.require_room(["main"])
        backlog._seen["other"] = (0.0, Waits({}))
        backlog.require_room(["main", "other"])

    def test_keeps_one_noisy_tenant_from_closing_the_door_of_others(self, api: API, backlog: Backlog):
        wait(api, 9_000, tenants=1)
        wait(api, 9_000, queue="bulk")
        noisy, quiet = api.installation.cell("SELECT id FROM cell.tenant WHERE state = 'active' ORDER BY id LIMIT 2")
        backlog.require_room(["main"])
        backlog.require_room(["main"], quiet.id)
        with pytest.raises(QueueTooOld):
            backlog.require_room(["main"], noisy.id)

    def test_of_a_drained_cell_is_that_of_whoever_waits_the_longest(self, api: API, backlog: Backlog):
        wait(api, 61, tenants=1)
        stop_handing_out(api.installation.databases, "main", reason="")
        try:
            with pytest.raises(QueueTooOld):
                backlog.require_room(["main"])
        finally:
            hand_out_again(api.installation.databases, "main")

    def test_is_never_made_where_the_limit_is_nought(self, api: API):
        wait(api, 100_000)
        Backlog(api.installation.databases, 0).require_room(["main"])


class TestThePageOfJobs:
    """What waits and what has failed, for the operator's people."""

    _ENDED = """
        INSERT INTO cell.job (tenant_id, id, kind, queue, args, dedupe_key, run_at, state, attempts, epoch, trace_id,
            created_at, finished_at, last_error)
        SELECT id, %s, 'tests.wait', 'default', '{}', %s, now(), %s, 3, 3, '', now(), now(), 'no luck'
        FROM cell.tenant WHERE state = 'active' ORDER BY id LIMIT 1
    """

    def test_counts_retries_and_cancels_with_a_reason_for_them_alone(self, api: API):
        doors, cell = api.doors, api.installation.cell
        doors.staff("otto@platform.example", doors.platform, "operator")
        doors.staff("nina@northwind.example", doors.northwind)
        otto, nina = doors.browser("localhost"), doors.browser("northwind.localhost")
        assert doors.sign_in(otto, "otto@platform.example").status == 303
        assert doors.sign_in(nina, "nina@northwind.example").status == 303
        for state in ("failed", "poisoned"):
            job_id = new_id()
            cell(self._ENDED, job_id, str(job_id), state)
        page, choice = "/operations/jobs", {"kind": "tests.wait", "command_key": str(new_id())}
        assert nina.get(page).status == 403
        assert nina.post(page, choice | {"act": "retry", "reason": "x"}).status == 403
        assert "Retry 2" in otto.get(f"{page}?kind=tests.wait").text
        assert otto.post(page, choice | {"act": "retry"}).status == 422
        assert otto.post(page, choice | {"act": "blow up", "reason": "x"}).status == 422
        for nonsense in ("state=x", "tenant=x", "older=-1", "older=%00"):
            assert otto.get(f"{page}?{nonsense}").status == 422
        ended = "SELECT state FROM cell.job WHERE kind = 'tests.wait'"
        assert {row.state for row in cell(ended)} == {"failed", "poisoned"}
        told = otto.post(page, choice | {"act": "retry", "reason": "The server is back."})
        assert told.status == 200
        assert "2 jobs were meant." in told.text
        assert {row.state for row in cell(ended)} == {"ready"}
