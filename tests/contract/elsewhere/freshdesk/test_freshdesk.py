"""What is special to Freshdesk: pages by a link, little of each row, a taken address that is not ours."""

from pathlib import Path
from typing import Any

import pytest

from app.connectors.kit.contract import read_connector
from app.connectors.trials.bench import bench_of
from app.kernel.outcomes import Done, GiveUp


@pytest.fixture
def bench():
    """Freshdesk as its fixtures know it."""
    with bench_of(read_connector(Path(__file__).parent)) as made:
        yield made


def test_reads_every_page_and_keeps_no_more_than_it_declares(bench):
    ticket = {"status": 2, "priority": 1, "requester_id": 1, "description": "not for us"}
    for number in range(150):
        bench.stand_in.wire.keep(bench.stand_in.wire.tickets, {"subject": f"No {number}", **ticket})
    outcome = bench.call("list_tickets").outcome
    assert isinstance(outcome, Done)
    result: Any = outcome.result
    assert (len(result["tickets"]), result["complete"], len(bench.stand_in.requests)) == (151, True, 2)
    assert "not for us" not in str(result)


def test_finds_what_it_made_and_never_takes_anothers_contact_for_ours(bench):
    record = {"name": "Ada", "email": "ada@acme.example"}
    before = bench.effects
    ours = bench.call("create_contact", input={"reference": "acme-1", "record": record | {"email": "new@acme.example"}})
    assert isinstance(ours.outcome, Done)
    assert (ours.outcome.result or {})["id"] == 1
    taken = bench.call("create_contact", input={"reference": "acme-9", "record": record})
    assert isinstance(taken.outcome, GiveUp)
    assert taken.certain
    assert bench.effects == before
