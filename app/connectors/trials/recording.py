"""Calls an action and writes what happened as a fixture, with every secret blotted out of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.connectors.auth.blotting import blot
from app.connectors.kit.contract import ActionCall, Connector
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.connectors.trials.bench import bench_of
from app.kernel.errors import Conflict
from app.kernel.ids import new_id
from app.kernel.outbound.client import OutboundClient
from app.kernel.outcomes import Done
from app.vault.secret import Secret


class NotRecorded(Conflict):
    """The call did not end well: there is nothing worth keeping."""


def record_stand_in(connector: Connector, action: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The exchange with the connector's own stand-in. Raises NotRecorded."""
    with bench_of(connector) as bench:
        return _recorded(bench.runner, bench.ask(action, input=given))


def record_peer(
    connector: Connector, action: str, given: Mapping[str, Any], secrets: Mapping[str, Secret]
) -> dict[str, Any]:
    """The exchange with the real system, through the egress guard. Raises NotRecorded."""
    provider = connector.manifest.provider
    runner = Runner(Registry({provider: connector}), OutboundClient())
    call = ActionCall(
        provider=provider,
        action=action,
        input=given,
        idempotency_key=str(new_id()),
        secrets=secrets,
        config=connector.example(),
    )
    return _recorded(runner, call)


def write_fixture(connector: Connector, action: str, fixture: Mapping[str, Any]) -> Path:
    """Keep it in the connector's folder, in place of the one before. Returns where."""
    path = connector.folder / "fixtures" / f"{action}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(fixture, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _recorded(runner: Runner, call: ActionCall) -> dict[str, Any]:
    report = runner.call(call)
    if not isinstance(report.outcome, Done):
        raise NotRecorded(f"{call.action}: {report.outcome.reason} ({report.code}) {report.excerpt}".strip())
    if report.outcome.result is None:
        raise NotRecorded(f"{call.action}: it was not found there. Make it first, then record again.")
    plain = json.dumps({"input": dict(call.input), "output": report.outcome.result}, ensure_ascii=False)
    fixture: dict[str, Any] = json.loads(blot(plain.encode(), call.secrets.values()))
    return fixture
