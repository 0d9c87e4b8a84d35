"""Five hundred live onboardings, in whatever state, go on with another version and back: as was shown, nothing lost."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.bootstrap.commands.engine.onboardings import run_history
from app.onboarding.upgrades.rules import Upgrade
from app.templates.language import canonical
from tests.factories.installation import Installation
from tests.integration.onboarding.upgrades.chain import MAP, Edition, old_and_new
from tests.integration.onboarding.upgrades.comparing import fates_of, finished, gone_rows, lost, rows_of
from tests.integration.onboarding.upgrades.fleet import Fleet, Lines
from tests.integration.onboarding.upgrades.person import fleet_with_pages

Editions = tuple[Edition, Edition]
BACK = {becomes: was for was, becomes in MAP.items.items()}


def tell(line: str) -> None:
    """Show a line of the report, past pytest's capturing with `-s`."""
    sys.stdout.write(f"upgrades: {line}\n")


class Watch:
    """Says how long each part took."""

    def __init__(self) -> None:
        self.begun = time.monotonic()

    def tell(self, what: str) -> None:
        """And begin the next."""
        now = time.monotonic()
        tell(f"{what} ({now - self.begun:.1f} s)")
        self.begun = now


def check_went(fleet: Fleet, lines: Lines, before: dict[UUID, Any], journals: dict[UUID, list[str]]) -> None:
    """What the dry run showed is what became of each, and all that was there still is."""
    after, told = fleet.states(), fleet.journals()
    wrong: list[str] = []
    for id_, line in lines.items():
        was, now = before[id_], after[id_]
        assert told[id_][: len(journals[id_])] == journals[id_]
        if line.applied != "done":
            assert (now.definition_digest, now.seq, now.snapshot) == (was.definition_digest, was.seq, was.snapshot)
            continue
        [made] = now.snapshot["migrations"][len(was.snapshot.get("migrations", ())) :]
        assert (made["before"], made["definition"]) == (line.before, now.definition_digest)
        shown = {(fate, key, becomes) for fate, key, becomes, _title in line.fates}
        wrong += [f"{id_} {one}" for one in shown ^ fates_of(was.snapshot, now.snapshot, MAP.items)]
        moved = {(move["item"], move["becomes"]) for move in fleet.moves_of(id_, made["seq"])}
        wrong += [f"{id_} {one}" for one in moved ^ {(item, fleet.said(day)) for item, _was, day in line.moves}]
        wrong += [f"{fleet.kinds[id_]} {id_} {each}" for each in lost(was.snapshot, now.snapshot, MAP.items)]
    assert wrong == [], "\n".join(wrong[:40])


def check_went_back(
    fleet: Fleet, editions: Editions, before: dict[UUID, Any], between: dict[UUID, Any], went: dict[UUID, bool]
) -> None:
    """Each runs exactly what it ran before, or what it ran since; what was done with either version is there."""
    (old, new), after = editions, fleet.states()
    for id_, is_back in went.items():
        here, kind = after[id_], fleet.kinds[id_]
        assert here.definition_digest == (old if is_back else new).effective.digest
        missing = list(lost(between[id_].snapshot, here.snapshot, BACK if is_back else {}))
        missing += lost(finished(before[id_].snapshot), here.snapshot, {} if is_back else MAP.items)
        assert missing == [], (kind, missing)


def check_one_goes_back(fleet: Fleet, editions: Editions, asked: Upgrade, before: dict[UUID, Any]) -> UUID:
    """A single one, of those that are in the middle, goes back alone."""
    upgrade, lines = fleet.read(asked)
    one = next(id_ for id_, line in lines.items() if line.applied == "done" and fleet.kinds[id_] == "in the middle")
    between = fleet.states()
    fleet.take_one_back(upgrade, one)
    fleet.run()
    after = fleet.states()
    assert {id_ for id_, row in after.items() if row.snapshot != between[id_].snapshot} == {one}
    check_went_back(fleet, editions, before, between, {one: True})
    assert {id_ for id_, line in fleet.read(asked)[1].items() if line.back} == {one}
    return one


def check_replays(fleet: Fleet) -> None:
    """Every journal leads to the stored state."""
    for tenant in fleet.tenants.values():
        assert run_history(["verify", "--tenant", str(tenant.id)], fleet.installation.runtime) == 0


def test_upgrade_of_many_does_what_was_shown_and_goes_back_to_the_same_bytes(installation: Installation):
    old, _new = old_and_new()
    check_upgrade(Fleet(installation, old, tenants=2, each=5))


@pytest.mark.soak
@pytest.mark.browser
@pytest.mark.timeout(3600)
def test_upgrade_of_many_hundreds_by_people_on_the_pages(installation: Installation, tmp_path: Path, doors_redis: str):
    """Five hundred in fifty workspaces; who decides, agrees, stops and takes back does so in Chromium."""
    old, _new = old_and_new()
    with fleet_with_pages(installation, tmp_path, doors_redis, old, tenants=50, each=10) as fleet:
        check_upgrade(fleet)


def check_upgrade(fleet: Fleet) -> None:
    """From one edition to the next: shown, agreed to, done, one taken back, worked on, all taken back."""
    watch, installation = Watch(), fleet.installation
    old, new = old_and_new()
    own = new.decided[new.own.id]
    assert len(own) == 2
    before, journals = fleet.states(), fleet.journals()
    rows = {tenant.id: rows_of(installation, tenant) for tenant in fleet.tenants.values()}
    pinned = fleet.pinned(old.effective.digest)
    watch.tell(f"{len(before)} live onboardings in {len(fleet.tenants)} workspaces: {Counter(fleet.kinds.values())}")

    fleet.publish(new)
    watch.tell(f"{len(own)} conflicts of the partner's own decided by hand: {dict(own)}")
    asked = fleet.ask(new)
    fleet.run()
    upgrade, lines = fleet.read(asked)
    assert (upgrade.state, len(lines)) == ("looked", len(before))
    assert fleet.states() == before
    counts = Counter(line.seen for line in lines.values())
    assert counts["goes"] >= len(before) * 0.7
    assert all(line.seen == "held" for id_, line in lines.items() if fleet.kinds[id_] == "on hold")
    watch.tell(f"dry run: {dict(counts)}; {sum(len(line.moves) for line in lines.values())} dates would move")

    fleet.decide(upgrade)
    fleet.run()
    upgrade, lines = fleet.read(asked)
    assert upgrade.state == "applied"
    assert {line.applied for line in lines.values() if line.seen == "goes"} == {"done"}
    watch.tell(f"applied: {dict(Counter(line.applied for line in lines.values() if line.applied))}")
    check_went(fleet, lines, before, journals)
    for tenant in fleet.tenants.values():
        assert gone_rows(rows[tenant.id], rows_of(installation, tenant), MAP.items) == set()
    check_replays(fleet)
    watch.tell("every fate and date as shown, nothing lost, nothing reopened, every journal replays")

    one = check_one_goes_back(fleet, (old, new), asked, before)
    watch.tell(f"one taken back ({fleet.kinds[one]}), and no other moved")

    worked = fleet.work_on(new, [id_ for id_, line in lines.items() if line.applied == "done" and id_ != one])
    between = fleet.states()
    watch.tell(f"{worked} steps done with the new version")
    fleet.take_back(fleet.read(asked)[0])
    fleet.run()
    upgrade, lines = fleet.read(asked)
    back = {id_: line for id_, line in lines.items() if line.applied == "done"}
    stuck = {id_: line for id_, line in back.items() if line.back != "done"}
    assert all(line.told for line in stuck.values())
    assert upgrade.state == ("applied" if stuck else "taken_back")
    assert len(stuck) <= len(back) * 0.1
    check_went_back(fleet, (old, new), before, between, dict.fromkeys(back, True) | dict.fromkeys(stuck, False))
    assert fleet.pinned(old.effective.digest) == pinned
    assert {canonical(document) for document in fleet.documents(old.effective.digest)} == {
        canonical(dict(old.effective.document))
    }
    check_replays(fleet)
    watch.tell(f"{len(back) - len(stuck)} taken back to the same bytes, {len(stuck)} stay and say why, all replay")
