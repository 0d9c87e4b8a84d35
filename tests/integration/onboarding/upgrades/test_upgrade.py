"""A dry run, a second person, and the way back, over several workspaces of one partner."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.factories.installation import Installation
from tests.integration.onboarding.upgrades.chain import old_and_new
from tests.integration.onboarding.upgrades.fleet import Fleet


def test_it(installation: Installation):
    import time
    t = time.time()
    old, new = old_and_new()
    fleet = Fleet(installation, old, tenants=2, each=10)
    print("filled", time.time() - t)
    for id_, row in fleet.states().items():
        print(fleet.kinds[id_], row.state, row.seq, Counter(i.get("state","waiting") for i in row.snapshot["items"].values()))
    fleet.publish(new)
    asked = fleet.ask(new)
    t = time.time()
    fleet.run()
    print("looked", time.time() - t)
    upgrade, parts = fleet.read(asked)
    print(upgrade.state, upgrade.preview)
    for part in parts:
        for line in part.lines:
            print(fleet.kinds[line.onboarding], line.seen, line.told, line.counts, len(line.moves), line.kinds)
    t = time.time()
    fleet.decide(upgrade)
    fleet.run()
    print("applied", time.time() - t)
    upgrade, parts = fleet.read(asked)
    print(upgrade.state)
    for part in parts:
        for line in part.lines:
            print(fleet.kinds[line.onboarding], line.applied, line.told)
