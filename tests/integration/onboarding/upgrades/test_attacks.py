"""What people try with an upgrade that they should not, and what happens to it on its way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.access.duties import SecondPersonNeeded
from app.flow.events import MigrationMap
from app.kernel.actor import Actor
from app.kernel.errors import SlipwayError
from app.kernel.ids import new_id
from app.onboarding.migration.operations import MapUnfit
from app.onboarding.operations import hold_onboarding
from app.onboarding.upgrades import operations
from app.onboarding.upgrades.operations import NothingToUpgrade, NotNow, PreviewMoved, UpgradeStale
from app.onboarding.upgrades.queries import read_upgrades
from app.onboarding.upgrades.records import UpgradeMissing
from app.onboarding.upgrades.tenant.carrying import Carrier
from app.templates.packages.operations import publish_package
from app.templates.queries import TemplateMissing
from tests.factories.installation import Installation, person
from tests.integration.onboarding.upgrades.chain import Edition, old_and_new
from tests.integration.onboarding.upgrades.fleet import ANY, Fleet
from tests.unit.templates.packages.samples import package


class Killed(BaseException):
    """The worker dies here."""


@pytest.fixture(scope="module")
def editions() -> tuple[Edition, Edition]:
    return old_and_new()


@pytest.fixture(scope="module")
def fleet(shared_installation: Installation, editions: tuple[Edition, Edition]) -> Fleet:
    """Four customers with two onboardings each, none of them on hold."""
    made = Fleet(shared_installation, editions[0], tenants=4, each=2, kinds=("a few steps", "in the middle"))
    made.publish(editions[1])
    return made


def trail(fleet: Fleet, action: str) -> int:
    """How often this stands in the trails of the customers."""
    query = "SELECT 1 FROM {}.trail WHERE action = %s"
    return sum(len(fleet.installation.rows(tenant, query, action)) for tenant in fleet.tenants.values())


def refused(act: Any, *given: Any, **more: Any) -> type[BaseException]:
    """How it is refused."""
    with pytest.raises(SlipwayError) as found:
        act(*given, **more)
    return found.type


def words(fleet: Fleet, upgrade: Any, step: str) -> dict[str, set[str | None]]:
    """What the onboardings of each customer met in a step."""
    found: dict[str, set[str | None]] = {}
    for id_, line in fleet.read(upgrade)[1].items():
        found.setdefault(fleet.where[id_].name, set()).add(getattr(line, step))
    return found


class TestUpgrade:
    def test_is_decided_by_another_once_over_what_was_shown(self, fleet: Fleet, editions: tuple[Edition, Edition]):
        new = editions[1]
        assert refused(fleet.ask, new, versions=("0.0.1",)) is NothingToUpgrade
        chosen = operations.choose(fleet.installation.runtime, fleet.ada, fleet.partner.id, new.below.digest, ())
        with fleet.installation.work(fleet.partner.home, fleet.ada) as work:
            nonsense = MigrationMap(items={"task.nothing": "task.nowhere"})
            assert refused(operations.ask_for_upgrade, work, chosen, wanted=nonsense, reason="So.") is MapUnfit
        asked = fleet.ask(new)
        assert refused(fleet.decide, asked) is NotNow
        fleet.run()
        upgrade, _lines = fleet.read(asked)
        assert refused(fleet.decide, upgrade, fleet.ada) is SecondPersonNeeded
        assert refused(fleet.decide, upgrade, seen="sha256:other") is PreviewMoved
        assert refused(fleet.decide, upgrade, versions=frozenset({'"1"'})) is UpgradeStale
        assert refused(fleet.take_back, upgrade) is NotNow
        stranger = Actor("person", new_id(), "Mallory", organisation_id=fleet.partner.id, roles=frozenset({"csm"}))
        assert refused(fleet.decide, upgrade, stranger).__name__ == "NotPermitted"
        rival = fleet.installation.partner("Contoso")
        boss = person("Boss", organisation_id=rival.id, roles=frozenset({"partner_admin"}))
        with fleet.installation.work(rival.home, boss) as work:
            word = {"upgrade_id": upgrade.id, "agreed": True, "seen": upgrade.preview, "versions": ANY}
            assert refused(operations.decide_upgrade, work, **word) is UpgradeMissing
        assert fleet.decide(upgrade, agreed=False, reason="Not now.").state == "declined"
        assert trail(fleet, "onboarding.upgraded") == 0

    def test_is_made_of_no_package(self, fleet: Fleet):
        with fleet.installation.work(fleet.partner.home, fleet.ada) as work:
            address = publish_package(work, package())
        fleet.run()
        who = (fleet.installation.runtime, fleet.ada, fleet.partner.id)
        assert refused(operations.choose, *who, address, ()) is TemplateMissing

    def test_meets_what_happened_since_and_survives_a_killed_worker_and_a_stop(
        self, fleet: Fleet, editions: tuple[Edition, Edition], monkeypatch: pytest.MonkeyPatch
    ):
        installation, (rests, revoked, moved, *_usual) = fleet.installation, list(fleet.tenants.values())
        asked = fleet.ask(editions[1])
        fleet.run()
        upgrade, lines = fleet.read(asked)
        assert {line.seen for line in lines.values()} == {"goes"}
        installation.set_state(rests, "suspended")
        installation.rows(revoked, "UPDATE {}.delegation SET state = 'ended'")
        held = next(id_ for id_ in lines if fleet.where[id_] == moved)
        with installation.work(moved, fleet.ada) as work:
            hold_onboarding(work, onboarding_id=held, reason_code="customer_no_response", reason="Away.")
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda _n: attempt(fleet, upgrade), range(2)))
        assert sorted(both) == ["NotNow", "applying"]

        plain, done = Carrier.apply, []

        def deadly(carrier: Carrier, line: Any) -> Any:
            made = plain(carrier, line)
            done.append(line.onboarding)
            if len(done) == 1:
                raise Killed
            if len(done) == 3:
                with installation.work(fleet.partner.home, fleet.lena) as work:
                    operations.stop_upgrade(work, upgrade_id=upgrade.id, versions=ANY)
            return made

        monkeypatch.setattr(Carrier, "apply", deadly)
        with pytest.raises(Killed):
            fleet.run()
        installation.cell("UPDATE cell.job SET lease_until = now() - interval '1 minute' WHERE state = 'running'")
        fleet.run()
        assert fleet.read(asked)[0].stopped
        with installation.work(fleet.partner.home, fleet.ada) as work:
            operations.resume_upgrade(work, upgrade_id=upgrade.id, versions=ANY)
        installation.cell("UPDATE cell.job SET lease_until = now() - interval '1 minute' WHERE state = 'running'")
        fleet.run()
        found = words(fleet, upgrade, "applied")
        assert fleet.read(asked)[0].state == "applied"
        assert (found[rests.name], found[revoked.name]) == ({"resting"}, {"no_right"})
        assert found[moved.name] == {"held", "done"}
        assert trail(fleet, "onboarding.upgraded") == 3
        installation.set_state(rests, "active")

    def test_takes_one_back_alone_and_the_rest_later(self, fleet: Fleet, editions: tuple[Edition, Edition]):
        with fleet.installation.work(fleet.partner.home, fleet.ada) as work:
            upgrade = read_upgrades(work)[0]
        went = [id_ for id_, line in fleet.read(upgrade)[1].items() if line.applied == "done"]
        fleet.take_back(upgrade, onboarding_id=went[0])
        fleet.run()
        upgrade, lines = fleet.read(upgrade)
        assert (upgrade.state, [id_ for id_ in went if lines[id_].back]) == ("applied", [went[0]])
        assert refused(fleet.take_back, upgrade, onboarding_id=went[0]) is NotNow
        fleet.take_back(upgrade)
        fleet.run()
        upgrade, lines = fleet.read(upgrade)
        assert (upgrade.state, {lines[id_].back for id_ in went}) == ("taken_back", {"done"})
        states = fleet.states()
        assert {states[id_].definition_digest for id_ in went} == {editions[0].effective.digest}

    def test_forgets_none_that_went_on_whatever_happens_to_its_job(
        self, fleet: Fleet, editions: tuple[Edition, Edition], monkeypatch: pytest.MonkeyPatch
    ):
        asked = fleet.ask(editions[1])
        fleet.run()
        upgrade, lines = fleet.read(asked)
        home = list(fleet.tenants.values())[3]
        first, second = (id_ for id_ in lines if fleet.where[id_] == home)
        plain = Carrier.apply

        def meet(trouble: BaseException, *, after: bool) -> None:
            def apply(carrier: Carrier, line: Any) -> Any:
                made = plain(carrier, line) if after or line.onboarding != first else line
                if line.onboarding == first:
                    raise trouble
                return made

            monkeypatch.setattr(Carrier, "apply", apply)

        fleet.decide(upgrade)
        meet(RuntimeError("surprise"), after=False)
        fleet.run()
        lines = fleet.read(asked)[1]
        assert (lines[first].applied, lines[second].applied) == (None, "done")
        halt(fleet, operations.stop_upgrade, upgrade)
        fleet.take_back(upgrade, onboarding_id=second)
        fleet.run()
        found, lines = fleet.read(asked)
        assert (found.state, found.stopped, found.left) == ("applying", True, (home.id,))
        assert lines[second].back == "done"

        halt(fleet, operations.resume_upgrade, upgrade)
        meet(Killed(), after=True)
        with pytest.raises(Killed):
            fleet.run()
        halt(fleet, operations.stop_upgrade, upgrade)
        fleet.installation.cell("UPDATE cell.job SET lease_until = now() - interval '1 minute' WHERE state = 'running'")
        fleet.run()
        assert fleet.read(asked)[1][first].applied is None
        fleet.take_back(upgrade)
        fleet.run()
        found, lines = fleet.read(asked)
        assert (found.state, lines[first].applied, lines[first].back) == ("taken_back", "done", "done")
        assert {row.definition_digest for row in fleet.states().values()} == {editions[0].effective.digest}


def halt(fleet: Fleet, act: Any, upgrade: Any) -> None:
    """Lena stops it, or lets it go on."""
    with fleet.installation.work(fleet.partner.home, fleet.lena) as work:
        act(work, upgrade_id=upgrade.id, versions=ANY)


def attempt(fleet: Fleet, upgrade: Any) -> str:
    """Agree, or the name of the refusal."""
    try:
        return fleet.decide(upgrade).state
    except SlipwayError as error:
        return type(error).__name__
