"""`python -m app.connectors.trials`, for `apart`: a configuration comes in, a line goes out for each check."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from app.connectors.kit.contract import read_connector
from app.connectors.kit.registry import CATALOG
from app.connectors.kit.settings import ConnectionConfig
from app.connectors.trials.apart import Tried, try_own
from app.connectors.trials.proving import prove


def main() -> None:
    """Try what the configuration makes of requests, then every promise of the connector against its stand-in."""
    asked = json.load(sys.stdin)
    connector = read_connector(CATALOG / asked["provider"])
    for own in try_own(connector, ConnectionConfig.read(asked["config"])):
        _tell(own)
    for proof in prove(connector):
        _tell(Tried(proof.action, proof.check, proof.said))


def _tell(tried: Tried) -> None:
    sys.stdout.write(json.dumps(asdict(tried)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
