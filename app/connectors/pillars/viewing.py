"""An integration as it stands: its facts gathered from where they are, and what follows from them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.connectors.connecting.care import get_row
from app.connectors.connecting.state import Check, find_check
from app.connectors.kit.contract import Connector
from app.connectors.kit.limits.gate import Standing
from app.connectors.kit.limits.release import Release, mark_of
from app.connectors.kit.runner import Runner
from app.connectors.kit.settings import LEVELS, ConnectionConfig
from app.connectors.models import Connection, Run
from app.connectors.pillars.flows import Flow, flow_mark, flows_of
from app.connectors.pillars.rules import (
    MILESTONES,
    Exposure,
    Facts,
    Milestone,
    Risk,
    State,
    Step,
    has_approver,
    is_good_enough,
    milestone_of,
    risk_of,
    states_of,
)
from app.connectors.pillars.state import Guide, Noted, Trial, find_guide, find_trial, has_trials, recent_runs
from app.connectors.settings.approving import Wish, find_wish
from app.connectors.settings.versions import Version, list_versions
from app.kernel.work import Work

SYSTEM_ONLY = {"gather": "part of an operation that has checked its own permission"}


@dataclass(frozen=True, slots=True)
class Integration:
    """A connection on its way live, and all that decides how far it may go."""

    id: UUID
    name: str
    row_state: str
    connector: Connector
    config: ConnectionConfig
    mark: str
    release: Release
    old: bool  # from before there were stages
    guide: Guide
    flows: list[Flow]
    flow_mark: str
    risk: Risk
    states: dict[Step, State]
    trial: Trial
    check: Check
    wish: Wish | None
    standing: Standing
    runs: list[Run]

    @property
    def level(self) -> str:
        """What the connection may do."""
        return self.config.level or self.connector.manifest.default_level

    @property
    def health(self) -> Counter[str]:
        """How many of the newest runs ended how."""
        return Counter(run.state for run in self.runs)

    def milestones(self, now: datetime) -> list[Milestone]:
        """The three milestones with when they were to be reached."""
        if not self.guide.begun_at:
            return []
        begun, kept = datetime.fromisoformat(self.guide.begun_at).date(), self.guide.reached
        days = {step: datetime.fromisoformat(kept[step]).date() for step in MILESTONES if step in kept}
        found = {step: days.get(step) or (now.date() if self.states[step] == "met" else None) for step in MILESTONES}
        return [milestone_of(step, begun, at, now.date()) for step, at in found.items()]


def get_integration(work: Work, connection_id: UUID) -> Integration:
    """One connection on its way live. Raises NotPermitted, ConnectionUnknown, ConnectorNotFound."""
    require(work, Permission.CONNECTION_READ)
    return gather(work, get_row(work, connection_id))


def gather(work: Work, row: Connection, *, lock: bool = False) -> Integration:
    """The same of a row that is read already. With `lock` nobody else records a step before the commit."""
    runner = work.service(Runner)
    connector, config = runner.registry.get(row.connector), ConnectionConfig.read(row.config)
    manifest, kept = connector.manifest, row.config.get("release")
    guide, mark = find_guide(work.session, row.id, lock=lock), mark_of(connector.manifest, row.config)
    flows, trial = flows_of(manifest, config), find_trial(work.session, row.id, mark)
    check, runs = find_check(work.session, row.id), recent_runs(work.session, row.id)
    release = Release("all") if kept is None else Release.read(kept, custom=manifest.custom)
    wish = find_wish(work.session, row.id, version=config.version)
    risk = risk_of(guide.risk.get("answers", {}), exposure_of(connector, config, flows))
    facts = Facts(
        flows=flow_mark(flows),
        config=mark,
        risk=risk,
        above_default=_is_above(connector, config),
        level_approved=_is_approved(config, list_versions(work.session, row.id)),
        level_waits=wish is not None,
        works=row.state == "active" and bool(check.worked_at) and (check.works or check.trial),
        passed=trial.passed,
        running=trial.under_way,
        passed_before=not trial.at and has_trials(work.session, row.id),
        out=release.stage in {"pilot", "all"},
        let_out=mark in release.marks,
        **_recorded(guide, runs),
    )
    return Integration(
        id=row.id, name=row.name, row_state=row.state, connector=connector, config=config, mark=mark, release=release,
        old=kept is None or ("stage" not in kept and not manifest.custom), guide=guide, flows=flows,
        flow_mark=facts.flows, risk=risk, states=states_of(facts), trial=trial, check=check, wish=wish,
        standing=runner.gate.look(str(row.id)), runs=runs,
    )  # fmt: skip


def _recorded(guide: Guide, runs: list[Run]) -> dict[str, Any]:
    """The facts that people recorded, and that runs have shown."""
    return {
        "run_succeeded": _has_succeeded(guide, runs),
        "marks": _marks(guide),
        "risk_approved": has_approver(guide.risk.get("by_id", ""), guide.risk.get("approved_id", "")),
        "sample_good": is_good_enough(guide.quality.get("checked", 0), guide.quality.get("wrong", 0)),
    }


def exposure_of(connector: Connector, config: ConnectionConfig, flows: list[Flow]) -> Exposure:
    """How much a connection may do, and how many fields of people it moves."""
    care = Counter(each.care for each in {(flow.field, flow.care): flow for flow in flows}.values())
    level = config.level or connector.manifest.default_level
    return Exposure(level, care["personal"], care["sensitive"])


def _marks(guide: Guide) -> dict[Step, str]:
    """Of what each step that people record was recorded."""
    noted: dict[Step, Noted] = {"scope": guide.scope, "risk": guide.risk}
    noted |= {"consent": guide.consent, "quality": guide.quality}
    return {step: str(each.get("mark", "")) for step, each in noted.items()}


def _is_above(connector: Connector, config: ConnectionConfig) -> bool:
    default = connector.manifest.default_level
    return LEVELS.index(config.level or default) > LEVELS.index(default)


def _is_approved(config: ConnectionConfig, versions: list[Version]) -> bool:
    """Whether the level of now goes back to a version that somebody else approved, without a lower one between."""
    for version in versions:
        if LEVELS.index(version.config.level or "read") < LEVELS.index(config.level or "read"):
            return False
        if version.approved:
            return True
    return False


def _has_succeeded(guide: Guide, runs: list[Run]) -> bool:
    since = guide.pilot_since
    return bool(since) and any(
        run.state == "succeeded" and run.requested_at >= datetime.fromisoformat(since) for run in runs
    )
