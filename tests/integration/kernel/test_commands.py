"""An accepted command is applied exactly once: twice, at once, with another body, by somebody else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.kernel.actor import Actor
from app.kernel.commands import CommandKeyReused, fingerprint, run_command
from app.kernel.ids import new_id
from app.kernel.work import TenantNotActive, Work
from tenants.tenant import Tenant
from tests.factories.installation import Installation, person
from tests.integration.kernel.work_to_do import GuestRefused, add_guest, arrive

Guests = Callable[[Tenant], list[str]]
Answer = tuple[dict[str, object], bool]
ANN = person("Ann")
MARK = fingerprint("POST /guests", {"name": "Bo"})


@pytest.fixture
def send(installation: Installation, acme: Tenant) -> Callable[..., Answer]:
    """Send a command to the first tenant."""

    def run(operation: Callable[[Work], dict[str, object]], **changed: Any) -> Answer:
        given: dict[str, Any] = {"key": "k-1", "mark": MARK, "trace_id": "t", "actor": ANN, "tenant": acme} | changed
        tenant, actor = given.pop("tenant"), given.pop("actor")
        return run_command(installation.runtime, tenant, actor, operation=operation, **given)

    return run


def welcome(work: Work) -> dict[str, object]:
    return {"entry": str(arrive(work, "Bo"))}


class TestRunCommand:
    def test_applies_once_and_replays_the_result(self, send, acme: Tenant, guests: Guests):
        first, replayed = send(welcome)
        assert not replayed
        assert send(welcome) == (first, True)
        assert guests(acme) == ["Bo"]

    def test_refuses_the_key_for_another_request(self, send, acme: Tenant, guests: Guests):
        send(welcome)
        with pytest.raises(CommandKeyReused):
            send(welcome, mark=fingerprint("POST /guests", {"name": "Cy"}))
        assert guests(acme) == ["Bo"]

    def test_takes_the_same_key_of_another_actor_as_another_command(self, send, acme: Tenant, guests: Guests):
        send(welcome)
        _result, replayed = send(welcome, actor=person("Ben"))
        assert not replayed
        assert guests(acme) == ["Bo", "Bo"]

    def test_takes_the_same_key_in_another_tenant_as_another_command(
        self, send, acme: Tenant, umbrella: Tenant, guests: Guests
    ):
        send(welcome)
        send(welcome, tenant=umbrella)
        assert (guests(acme), guests(umbrella)) == (["Bo"], ["Bo"])

    def test_forgets_a_command_that_was_refused(self, send, acme: Tenant, guests: Guests):
        def refuse(work: Work) -> dict[str, object]:
            arrive(work, "ghost")
            raise GuestRefused("No.")

        with pytest.raises(GuestRefused):
            send(refuse)
        assert send(welcome)[1] is False
        assert guests(acme) == ["Bo"]

    def test_applies_one_of_two_at_once_and_gives_both_its_result(self, send, acme: Tenant, guests: Guests):
        start = Barrier(2)

        def slow(work: Work) -> dict[str, object]:
            if work.session.execute(text("SELECT count(*) FROM command")).scalar_one() == 0:
                start.wait(5)  # both are inside, neither has committed
            return welcome(work)

        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(lambda _: send(slow), range(2)))
        assert sorted(replayed for _result, replayed in answers) == [False, True]
        assert answers[0][0] == answers[1][0]
        assert guests(acme) == ["Bo"]

    @pytest.mark.parametrize("refusal", [GuestRefused("Already here."), None])
    def test_replays_to_the_second_of_two_at_once_also_where_its_own_try_is_refused(
        self, send, acme: Tenant, guests: Guests, refusal: GuestRefused | None
    ):
        """A double click: the second looked before the first had committed, then met the first one's effects."""
        looked, committed, row = Event(), Event(), {"id": new_id()}
        columns = "INSERT INTO delivery (id, source, external_id, body, received_at) VALUES (:id, '', '', '{}', :at)"

        def second(work: Work) -> dict[str, object]:
            looked.set()
            committed.wait(5)
            if refusal:
                raise refusal
            work.session.execute(text(columns), row | {"at": work.now})
            raise AssertionError("the first one's row is not there")

        def first(work: Work) -> dict[str, object]:
            work.session.execute(text(columns), row | {"at": work.now})
            return welcome(work)

        with ThreadPoolExecutor(1) as threads:
            late = threads.submit(send, second)
            looked.wait(5)
            result, _replayed = send(first)
            committed.set()
            assert late.result() == (result, True)
        assert guests(acme) == ["Bo"]

    def test_still_tells_a_refusal_that_is_its_own(self, send):
        def clash(work: Work) -> dict[str, object]:
            guest_id = add_guest(work, "Bo")
            work.session.flush()
            values = {"id": guest_id, "at": work.now}
            work.session.execute(
                text("INSERT INTO member VALUES (:id, 'a', 'b', 'owner', 'en', 'active', :at)"), values
            )
            return {}

        with pytest.raises(IntegrityError):
            send(clash)

    def test_is_not_taken_by_a_suspended_tenant(self, send, installation: Installation, acme: Tenant):
        installation.set_state(acme, "suspended")
        with pytest.raises(TenantNotActive):
            send(welcome)

    def test_keeps_odd_keys_apart(self, send, acme: Tenant, guests: Guests):
        keys = ["", " ", "k-1", "K-1", "k-1 ", "ключ", "k" * 2000, "'; DROP TABLE command; --"]
        for key in keys:
            assert send(welcome, key=key)[1] is False
        for key in keys:
            assert send(welcome, key=key)[1] is True
        assert len(guests(acme)) == len(keys)


class TestFingerprint:
    def test_knows_an_actor_by_kind_and_id(self, send):
        service = Actor(kind="service", id=ANN.id, name="Ann")
        send(welcome)
        assert send(welcome, actor=service)[1] is False
