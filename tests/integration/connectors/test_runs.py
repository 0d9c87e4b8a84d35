"""A run under trouble: the effect happens at most once, the run always ends, and no secret leaves its seal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from app.connectors.catalog.stand_in import Fault
from app.connectors.events import RunEnded
from app.connectors.kit.runner import Runner
from app.connectors.models import Run
from app.connectors.operations import RunRequest, request_run
from app.kernel.ids import new_id
from app.kernel.outbound.egress import NO_ENTRIES
from app.kernel.queue.jobs import job_kind
from app.kernel.work import Work
from tenants.line import line_of
from tenants.tenant import Tenant
from tests.factories.main_job import TOKEN, WORKBENCH, MainJob
from tests.factories.walker import connect_product, do, picture_of, walk

SPACES = "/v1/workspaces"
Place = tuple[Tenant, UUID]
_numbers = count(100)


@pytest.fixture(scope="module")
def place(shop: MainJob) -> Place:
    """A customer whose product is connected."""
    deal = shop.sell()
    shop.tell(deal)
    shop.run()
    tenant, onboarding_id = shop.started(deal)
    connect_product(shop, tenant)
    return tenant, onboarding_id


def ask(shop: MainJob, place: Place, action: str = "create_workspace", **given: Any) -> UUID:
    """Ask for a run of its own, outside of any task."""
    wanted = given or {"external_id": new_id().hex, "name": "Contoso", "plan": "team"}
    with shop.installation.work(place[0], shop.lead) as work:
        return request_run(
            work, RunRequest(place[1], "task.create_workspace", "product_admin", action, wanted, next(_numbers))
        )


def run_of(shop: MainJob, place: Place, run_id: UUID) -> Any:
    return shop.installation.rows(place[0], "SELECT * FROM {}.run WHERE id = %s", run_id)[0]


class TestExecuteRun:
    @pytest.mark.parametrize(
        "fault",
        [
            Fault("status", SPACES, times=2, status=500),
            Fault("status", SPACES, times=1, status=503),
            Fault("garbage", SPACES, times=1),
            Fault("oversize", SPACES, times=1),
            Fault("reset_after_effect", SPACES, times=1),
            Fault("silent_after_effect", SPACES, times=1, seconds=5),
        ],
        ids=lambda fault: fault.kind,
    )
    def test_ends_well_with_one_effect_after(self, shop: MainJob, place: Place, fault: Fault):
        before = len(shop.product.effects)
        shop.product.break_next(fault)
        run_id = ask(shop, place)
        shop.finish()
        run = run_of(shop, place, run_id)
        assert (run.state, len(shop.product.effects) - before) == ("succeeded", 1)
        assert run.result["id"] == shop.product.effects[-1]["subject"]

    def test_waits_as_long_as_it_is_told_when_there_are_too_many_requests(self, shop: MainJob, place: Place):
        shop.product.break_next(Fault("status", SPACES, status=429, headers={"Retry-After": "120"}))
        run_id = ask(shop, place)
        shop.run()
        [waiting] = shop.installation.cell(
            "SELECT run_at - now() AS left FROM cell.job WHERE kind = 'connectors.execute_run' AND state = 'ready'"
        )
        assert timedelta(seconds=60) < waiting.left <= timedelta(seconds=121)
        shop.finish()
        assert run_of(shop, place, run_id).state == "succeeded"

    def test_never_sends_again_what_may_have_happened_and_cannot_be_looked_up(self, shop: MainJob, place: Place):
        made = ask(shop, place)
        shop.finish()
        workspace = run_of(shop, place, made).result["id"]
        shop.product.break_next(Fault("silent_after_effect", f"{SPACES}/{workspace}/welcome", seconds=5))
        run_id = ask(shop, place, "send_welcome", workspace_id=workspace)
        shop.finish()
        run = run_of(shop, place, run_id)
        assert (run.state, len(run.attempts)) == ("unknown", 1)
        sent = [effect for effect in shop.product.effects if effect["kind"] == "welcome_sent"]
        assert len(sent) == 1

    @pytest.mark.parametrize(
        ("fault", "state"),
        [
            (Fault("status", "/v1", times=99, status=401), "failed"),
            (Fault("status", "/v1", times=99, status=403), "failed"),
            (Fault("status", "/v1", times=99, status=404), "failed"),
            (Fault("redirect", "/v1", times=99), "failed"),
            (Fault("status", "/v1", times=99, status=500), "unknown"),
            (Fault("status", "/v1", times=99, status=429), "failed"),
        ],
        ids=["401", "403", "404", "redirect", "500", "429"],
    )
    def test_ends_for_a_person_when_the_trouble_stays(self, shop: MainJob, place: Place, fault: Fault, state: str):
        before = len(shop.product.effects)
        shop.product.break_next(fault)
        run_id = ask(shop, place)
        shop.finish()
        run = run_of(shop, place, run_id)
        assert (run.state, len(shop.product.effects)) == (state, before)
        ended = "SELECT reason FROM {}.trail WHERE action = 'connectors.run.ended' AND subject_id = %s"
        [entry] = shop.installation.rows(place[0], ended, run_id)
        assert entry.reason
        assert shop.installation.cell("SELECT kind FROM cell.job WHERE state = 'failed'") == []

    @pytest.mark.parametrize(("attempts", "state"), [("[]", "failed"), ('[{"number": 1}]', "unknown")])
    def test_ends_for_a_person_when_its_job_is_given_up(self, shop: MainJob, place: Place, attempts: str, state: str):
        run_id = ask(shop, place)
        shop.installation.rows(place[0], "UPDATE {}.run SET attempts = %s::jsonb WHERE id = %s", attempts, run_id)
        given_up = "UPDATE cell.job SET attempts = %s WHERE args ->> 'run_id' = %s"
        kind = job_kind("connectors.execute_run")
        assert kind is not None
        shop.installation.cell(given_up, kind.attempts, str(run_id))  # its worker died each time
        shop.run()
        run = run_of(shop, place, run_id)
        assert (run.state, run.finished_at is not None) == (state, True)
        ended = "SELECT reason FROM {}.trail WHERE action = 'connectors.run.ended' AND subject_id = %s"
        [entry] = shop.installation.rows(place[0], ended, run_id)
        assert "without coming to an end" in entry.reason

    def test_refuses_an_input_that_does_not_fit_without_calling(self, shop: MainJob, place: Place):
        asked = len(shop.product.requests)
        run_id = ask(shop, place, external_id="x", name="y", plan="platinum")
        shop.finish()
        assert run_of(shop, place, run_id).state == "failed"
        assert len(shop.product.requests) == asked


class TestTheAnswer:
    """Who asked hears of the end in the transaction that ends it; what they cannot take now, they are told again."""

    def kinds(self, shop: MainJob) -> list[str]:
        return [row.kind for row in shop.installation.jobs("onboarding.record_run")]

    def goes_on(self, shop: MainJob) -> str:
        """A customer whose workspace is asked for; how the step stands when nothing is left to do."""
        deal = shop.sell(company="Answered", email="a@answered.example")
        shop.tell(deal)
        shop.run()
        tenant, onboarding_id = shop.started(deal)
        connect_product(shop, tenant)
        walk(shop, tenant, onboarding_id, until="task.describe_environment")
        seen = picture_of(shop, tenant, onboarding_id)
        do(shop, tenant, seen, seen.item("task.describe_environment"))
        shop.finish()
        [run] = shop.installation.rows(tenant, "SELECT state FROM {}.run")
        assert run.state == "succeeded"
        return picture_of(shop, tenant, onboarding_id).of("task.create_workspace").state

    def test_is_taken_at_once_and_told_to_nobody_else(self, shop: MainJob):
        before = self.kinds(shop)
        assert self.goes_on(shop) == "done"
        assert self.kinds(shop) == before

    def test_that_cannot_be_taken_is_brought_by_its_event(self, shop: MainJob, monkeypatch: pytest.MonkeyPatch):
        before = self.kinds(shop)

        def surprised(work: Work, ended: RunEnded) -> None:
            add_nothing = work.enqueue("onboarding.project_card", args={"onboarding_id": ended.onboarding_id})
            raise KeyError(add_nothing)

        monkeypatch.setattr("app.connectors.runs.ending._askers", [surprised])
        assert self.goes_on(shop) == "done"
        assert len(self.kinds(shop)) == len(before) + 1

    @pytest.mark.parametrize("sent", ["ahead", "later"])
    def test_that_the_database_refuses_late_is_brought_by_its_event_too(
        self, shop: MainJob, monkeypatch: pytest.MonkeyPatch, sent: str
    ):
        """An asker returns before the server has said anything to what it sent ahead, or before its rows are sent."""
        before, effects = self.kinds(shop), len(shop.product.effects)

        def refused(work: Work, ended: RunEnded) -> None:
            if sent == "ahead":
                line_of(work.session.connection()).send_ahead(b"SELECT 1 / $1::int", "0")
            else:
                work.session.add(Run(id=new_id()))

        monkeypatch.setattr("app.connectors.runs.ending._askers", [refused])
        assert self.goes_on(shop) == "done"
        assert len(self.kinds(shop)) == len(before) + 1
        assert len(shop.product.effects) - effects == 1


class TestSecret:
    def test_is_in_no_table_no_log_and_no_mail(self, shop: MainJob, place: Place, capfd: pytest.CaptureFixture[str]):
        shop.product.break_next(Fault("status", SPACES, times=1, status=500))
        ask(shop, place)
        shop.finish()
        told = [*capfd.readouterr(), *(str(mail) for mail in shop.mail.messages())]
        told += [text for query in (shop.installation.cell, shop.installation.control) for text in everything(query)]
        assert len(told) > 100
        for canary in (WORKBENCH, TOKEN):
            forms = (canary, canary.encode().hex())
            assert [text[:80] for text in told if any(form in text for form in forms)] == []


def everything(query: Any) -> list[str]:
    """Every row of every table of ours in a database, as text."""
    found = "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables"
    tables = query(found + " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
    return [str(row[0]) for table in tables for row in query(f"SELECT t::text FROM {table.name} t")]  # noqa: S608 - its own catalogue


class TestOfASandbox:
    @pytest.fixture
    def sandbox(self, shop: MainJob, place: Place) -> Iterator[Place]:
        """The customer's workspace as a sandbox, while the test lasts."""
        shop.installation.control("UPDATE control.tenant SET kind = 'sandbox' WHERE id = %s", place[0].id)
        yield place
        shop.installation.control("UPDATE control.tenant SET kind = 'customer' WHERE id = %s", place[0].id)

    def test_reaches_the_stand_in(self, shop: MainJob, sandbox: Place):
        run_id = ask(shop, sandbox)
        shop.finish()
        assert run_of(shop, sandbox, run_id).state == "succeeded"

    def test_reaches_nobody_else(self, shop: MainJob, sandbox: Place, monkeypatch: pytest.MonkeyPatch):
        client = shop.installation.runtime.service(Runner).client
        monkeypatch.setattr(client, "book", NO_ENTRIES)
        monkeypatch.setattr(client, "_resolve", lambda *_: pytest.fail("no name may be looked up"))
        run_id = ask(shop, sandbox)
        shop.finish()
        run = run_of(shop, sandbox, run_id)
        assert run.state == "failed"
        assert [attempt["code"] for attempt in run.attempts] == ["egress_sandbox"]
        told = shop.installation.rows(sandbox[0], "SELECT reason FROM {}.trail WHERE subject_id = %s", run_id)
        wanted = "Sandbox: not sent. This address is called from customers' workspaces only."
        assert told[-1].reason == wanted
