"""What a gate's page says of a reviewed case."""

from __future__ import annotations

import pytest

from app.flow.steps.gates import GateView
from app.onboarding.queries.gate import escalations_of
from tests.unit.flow.running import managed_services


@pytest.mark.parametrize(("here", "applies"), [((), [False]), (("many_sites",), [True])])
def test_escalation_applies_where_the_engine_says_so(here: tuple[str, ...], applies: list[bool]):
    review = managed_services().items["gate.launch"].review
    assert review is not None
    view = GateView(missing_hard=(), missing_soft=(), missing_info=(), checks={}, escalations=here)
    said = escalations_of(review, view)
    assert [case["applies"] for case in said] == applies
    assert said[0]["text"]["en"] == "More than 25 sites"
