"""`scim2-tester`, a SCIM suite that is not ours, against the real application over HTTP: every check passes.

It is imported where it runs: to read it takes two seconds, which every process that looks for tests would pay.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import httpx2
import pytest

from tests.integration.identity.scim.directories import Directories, Directory

if TYPE_CHECKING:
    from scim2_tester.utils import CheckResult

GOOD = {"SUCCESS", "COMPLIANT", "ACCEPTABLE"}
PARTS = ["crud:create", "crud:read", "crud:update", "crud:delete"]


def check(directory: Directory, **chosen) -> list[CheckResult]:
    """Run the suite, or the chosen part of it."""
    from scim2_client.engines.httpx2 import SyncSCIMClient
    from scim2_tester import check_server

    headers = {"authorization": f"Bearer {directory.token}", "host": f"{directory.host}:{directory.doors.port}"}
    at = f"http://127.0.0.1:{directory.doors.port}/scim/v2"
    with httpx2.Client(base_url=at, headers=headers, timeout=30) as client:
        return check_server(SyncSCIMClient(client), **chosen)


def wrong(results: list[CheckResult], *also: str) -> list[str]:
    good = GOOD | set(also)
    return [f"{r.title} {r.resource_type} {r.status.name}: {r.reason}" for r in results if r.status.name not in good]


@pytest.mark.soak
@pytest.mark.parametrize("which", ["northwind", "customer"])
def test_finds_nothing_wrong(at_work: Directories, which: str):
    results = check(getattr(at_work, which))
    assert wrong(results) == []
    assert len(results) > 100


def test_finds_nothing_wrong_in_a_part_of_it(at_work: Directories):
    """The whole takes half a minute; each run takes discovery and another part, and says which."""
    seed = random.randrange(10_000)  # noqa: S311 - a test's choice
    choose = random.Random(seed)  # noqa: S311 - a test's choice
    part, kind = choose.choice(PARTS), choose.choice(["User", "Group"])
    print(f"seed {seed}: {part} of {kind}")  # noqa: T201 - pytest shows it with a failure
    results = check(at_work.northwind, include_tags={"discovery", "misc", part}, resource_types=[kind])
    assert wrong(results, "SKIPPED") == []
    assert sum(result.status.name in GOOD for result in results) > 10
