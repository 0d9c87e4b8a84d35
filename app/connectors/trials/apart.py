"""Runs the checks of a connector in a process of its own: it has no key, no database, and overhears only itself.

The checks listen to every log line of their process and serve on loopback: no worker could do that beside other jobs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.connectors.kit.contract import ActionCall, Connector
from app.connectors.kit.exchange import InputUnfit, shape_request
from app.connectors.kit.settings import LEVELS, ConnectionConfig, SettingsUnfit, faults_of

SECONDS: Final = 240.0
OWN: Final = "own_settings"
_ROOT: Final = Path(__file__).parents[3]
_PASSED_ON: Final = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR")


class ChecksUnrun(Exception):
    """The checks could not be run to their end; the text says why."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How one check of one action went: an empty `said` is a promise kept."""

    action: str
    check: str
    said: str


def try_apart(provider: str, config: Mapping[str, Any]) -> list[Tried]:
    """Every check of a connector, and whether this configuration makes requests of it. Raises ChecksUnrun."""
    asked = json.dumps({"provider": provider, "config": config})
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "app.connectors.trials", provider],
            input=asked,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            cwd=_ROOT,
            env=passed_on,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ChecksUnrun(f"The checks took longer than {SECONDS:.0f} seconds.") from None
    if ended.returncode:
        raise ChecksUnrun((ended.stderr.strip().splitlines() or ["The checks ended without a word."])[-1][:300])
    try:
        return [Tried(**json.loads(line)) for line in ended.stdout.splitlines()]
    except (TypeError, ValueError) as error:
        raise ChecksUnrun(f"The checks said what cannot be read: {error}") from None


def try_own(connector: Connector, config: ConnectionConfig) -> list[Tried]:
    """Whether what is set makes a request of each action that it allows, with the fixture's input. Sends nothing."""
    faults = "; ".join(f"{place} {said}" for place, said in faults_of(connector, config))
    if faults:
        return [Tried(connector.manifest.verify, OWN, faults)]
    level = LEVELS.index(config.level or connector.manifest.default_level)
    allowed = [name for name, action in connector.manifest.actions.items() if LEVELS.index(action.level) <= level]
    return [Tried(name, OWN, _shaped(connector, name, config)) for name in allowed]


def _shaped(connector: Connector, name: str, config: ConnectionConfig) -> str:
    call = ActionCall(
        provider=connector.manifest.provider,
        action=name,
        input=connector.fixture(name)["input"],
        idempotency_key="validation",
        secrets={},
        config=config,
    )
    try:
        shape_request(connector, connector.manifest.actions[name], call, 1.0)
    except (InputUnfit, SettingsUnfit) as error:
        return str(error)
    return ""
