"""`scim2-tester`, a SCIM suite that is not ours, against the real application over HTTP: every check passes."""

from __future__ import annotations

from collections import Counter

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

from tests.integration.identity.scim.directories import Directories

GOOD = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE}


@pytest.mark.parametrize("which", ["northwind", "customer"])
def test_finds_nothing_wrong(at_work: Directories, which: str):
    directory = getattr(at_work, which)
    headers = {"authorization": f"Bearer {directory.token}", "host": f"{directory.host}:{at_work.doors.port}"}
    at = f"http://127.0.0.1:{at_work.doors.port}/scim/v2"
    with httpx2.Client(base_url=at, headers=headers, timeout=30) as client:
        results = check_server(SyncSCIMClient(client))
    wrong = [f"{r.title} {r.resource_type} {r.status.name}: {r.reason}" for r in results if r.status not in GOOD]
    assert wrong == [], Counter(r.status.name for r in results)
    assert len(results) > 100
