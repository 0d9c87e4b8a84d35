"""`python -m app.demo.once`: drives the main job once against the running demo, prints its trace, ends with 0 or 1."""

from __future__ import annotations

import logging
import secrets
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from app.bootstrap.wiring import open_program
from app.demo.journey.browser import JourneyFailed
from app.demo.journey.ground import Ground
from app.demo.journey.main_job import MainJob, Outcome
from app.demo.journey.sale import PARTNER
from app.demo.journey.trace import missing_events, read_trace, told
from app.demo.stand_ins import Outside
from app.demo.world.crm import CrmTrouble
from app.settings import Settings
from app.vault.rules import Program
from tenants.registry import find_home
from tenants.sessions import lookup_session

_MARK_BYTES = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the journey and tell how it went."""
    parser = ArgumentParser(prog="python -m app.demo.once", description="Drive the main job of a running demo.")
    parser.add_argument("--folder", type=Path, default=Path(".slipway"), help="where the demo's data lives (.slipway)")
    chosen = parser.parse_args(arguments)
    settings = Settings.from_environment()
    running = open_program(settings, Program.OPERATOR)
    logging.getLogger().setLevel(logging.ERROR)
    ground = Ground.of(settings, running.runtime, Outside.read(chosen.folder))
    mark = secrets.token_hex(_MARK_BYTES)
    try:
        outcome = MainJob(ground, mark).run()
        _prove(ground, outcome, mark)
    except (JourneyFailed, CrmTrouble) as trouble:
        print(f"The main job did not come to its end.\n{trouble}", flush=True)
        return 1
    finally:
        ground.clock.put_back()
        ground.clock.close()
        running.close()
    print(f"The main job ran from closed deal to first value in {time.monotonic() - ground.began:.1f} s.", flush=True)
    return 0


def _prove(ground: Ground, outcome: Outcome, mark: str) -> None:
    """The whole trace, the chain between the two trails, and the one effect at the product. Raises JourneyFailed."""
    with lookup_session(ground.runtime.databases) as (session, _now):
        home = find_home(session, outcome.tenant.organisation_id)
    if home is None:
        raise JourneyFailed(f"a home of {PARTNER.name}", "nothing")
    lines = read_trace(ground.runtime, home, outcome.tenant, outcome.onboarding_id)
    print("\nFrom closed deal to first value:\n", flush=True)
    for text in told(lines):
        print(f"  {text}", flush=True)
    print("\nThe tenant's first entry names the home's admission by its hash: it holds.", flush=True)
    print(f"The home lives in the cell {home.cell}, the customer in the cell {outcome.tenant.cell}.", flush=True)
    if lacking := missing_events(lines):
        raise JourneyFailed("every event of a trace", f"no {', '.join(lacking)}")
    effects = [effect["kind"] for effect in ground.effects(f"willowbrook-{mark}")]
    if effects != ["workspace_created"]:
        raise JourneyFailed("one workspace at the product", effects)
    print("The product made one workspace, once.", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
