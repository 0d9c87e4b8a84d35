"""`slipway connectors test`, `record` and `sandbox`: a connector and its stand-in, or the real system."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any

from app.connectors.kit.contract import CONNECTION, Connector, faults_of_fixtures, read_connector, read_unrecorded
from app.connectors.kit.registry import CATALOG
from app.connectors.trials.bench import bench_of
from app.connectors.trials.proving import prove
from app.connectors.trials.recording import record_peer, record_stand_in, write_fixture
from app.kernel.errors import Invalid
from app.vault.secret import Secret

_TEST = """Prints each promise of each action and whether it is kept; where one is not, what happened, and ends with 1.
Look at the first of these: others may follow from it."""
_SANDBOX = """Prints the secret to connect with, and the line for an installation's environment that leads it to the
stand-in instead of the system."""
_RECORD = """Calls the stand-in, or with --real the system itself, and writes fixtures/ACTION.json. Other fixtures need
not be there yet."""


class NotAsked(Invalid):
    """The command names no connector or action that there is, or input that is no JSON object."""


def add_parsers(actions: argparse._SubParsersAction[Any]) -> None:
    """The parsers of all three."""
    test = actions.add_parser("test", help="try a connector against its stand-in", description=_TEST)
    serve = "serve the stand-in of a connector until it is stopped"
    sandbox = actions.add_parser("sandbox", help=serve, description=_SANDBOX)
    keep = "call an action and keep the exchange as its fixture"
    record = actions.add_parser("record", help=keep, description=_RECORD)
    for parser in (test, sandbox, record):
        parser.add_argument("connector", metavar="CONNECTOR", help="a folder, or a name of the catalogue")
    test.set_defaults(run=run_test)
    sandbox.set_defaults(run=run_sandbox)
    record.add_argument("action", metavar="ACTION", help="an action of its manifest")
    record.add_argument("--input", default="", metavar="JSON", help="default: that of the fixture there is, else {}")
    record.add_argument("--real", action="store_true", help="call the real system, with secrets from standard input")
    record.set_defaults(run=run_record)


def run_test(chosen: argparse.Namespace) -> int:
    """Print every check; 1 if a promise is not kept."""
    broken = 0
    for proof in prove(_connector(chosen.connector)):
        broken += bool(proof.said)
        mark = "not kept" if proof.said else "kept"
        print(f"{mark:<8} {proof.action}: {proof.check} ({proof.seconds:.2f} s) {proof.said}".rstrip(), flush=True)
        if proof.said:
            print(f"         promised: {proof.promise}", flush=True)
    print(f"{broken} not kept." if broken else "Everything is kept.")
    return int(bool(broken))


def run_sandbox(chosen: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    connector = _connector(chosen.connector)
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # before the server's threads start, so that they inherit it
    with bench_of(connector) as bench:
        token = next(iter(bench.stand_in.tokens))
        print(f"{connector.manifest.title} on http://127.0.0.1:{bench.stand_in.port}, credential {token}", flush=True)
        print(f"SLIPWAY_ADDRESS_BOOK={bench.host}:443={bench.stand_in.port}", flush=True)
        signal.sigwait(signals)
    return 0


def run_record(chosen: argparse.Namespace) -> int:
    """Write the fixture; what is wrong is one sentence."""
    connector = read_unrecorded(_folder(chosen.connector))
    if connector.action(chosen.action) is None:
        known = ", ".join(connector.manifest.actions)
        raise NotAsked(f"{connector.manifest.provider} has no action {chosen.action}; it has {known}.")
    for file, place, said in faults_of_fixtures(connector, CONNECTION):
        raise NotAsked(f"{connector.folder / file}: {place or '/'}: {said}")
    given = _input(connector, chosen)
    if chosen.real:
        fixture = record_peer(connector, chosen.action, given, _secrets(connector))
    else:
        fixture = record_stand_in(connector, chosen.action, given)
    print(write_fixture(connector, chosen.action, fixture))
    return 0


def _input(connector: Connector, chosen: argparse.Namespace) -> dict[str, Any]:
    path = connector.folder / "fixtures" / f"{chosen.action}.json"
    try:
        recorded = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        given = json.loads(chosen.input) if chosen.input else recorded.get("input", {})
    except (ValueError, AttributeError) as error:
        raise NotAsked(f"{'--input' if chosen.input else path}: no JSON that can be read: {error}") from error
    if not isinstance(given, dict):
        raise NotAsked("The input of an action is a JSON object.")
    return given


def _connector(named: str) -> Connector:
    return read_connector(_folder(named))


def _folder(named: str) -> Path:
    folder = Path(named)
    if folder.is_dir():
        return folder.resolve()
    if not (CATALOG / named / "manifest.yaml").is_file():
        raise NotAsked(f"{named}: there is no such folder, and no connector of that name in the catalogue.")
    return CATALOG / named


def _secrets(connector: Connector) -> dict[str, Secret]:
    """One line for each secret, in the manifest's order: nothing of them stands in a command line."""
    names = [name for name, slot in connector.manifest.secrets.items() if slot.opened_by == "run"]
    return {name: Secret(sys.stdin.readline().rstrip("\n")) for name in names}
