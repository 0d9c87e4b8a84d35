"""`python -m app.connectors.trials`, for `apart`: a configuration comes in, a line goes out for each check."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TextIO

from app.connectors.kit.contract import read_connector
from app.connectors.kit.registry import CATALOG
from app.connectors.kit.settings import ConnectionConfig
from app.connectors.trials.apart import Tried, try_own
from app.connectors.trials.proving import prove


def main() -> None:
    """Try what the configuration makes of requests, then every promise of the connector against its stand-in."""
    out, sys.stdout = sys.stdout, sys.stderr  # what is logged meanwhile is no result
    asked = json.load(sys.stdin)
    connector = read_connector(CATALOG / asked["provider"])
    for own in try_own(connector, ConnectionConfig.read(asked["config"])):
        _tell(out, own)
    for proof in prove(connector):
        _tell(out, Tried(proof.action, proof.check, proof.said))


def _tell(out: TextIO, tried: Tried) -> None:
    out.write(json.dumps(asdict(tried)) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
