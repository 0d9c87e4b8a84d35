"""`slipway people`: what only whoever runs the installation can do for a person."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from app.bootstrap.wiring import open_program
from app.identity.rules import clean_address
from app.identity.step_up.operations import reset
from app.kernel.errors import Missing
from app.settings import Settings
from app.vault.rules import Program


class NoAuthenticator(Missing):
    """Nobody of this address has an authenticator."""


def run_people(arguments: Sequence[str], settings: Settings) -> int:
    """Do what is asked. Returns the exit code. Raises NoAuthenticator."""
    chosen = _parser().parse_args(arguments)
    running = open_program(settings, Program.OPERATOR)
    try:
        if not reset(running.runtime.databases, clean_address(chosen.email) or ""):
            raise NoAuthenticator(f"Nobody with the address {chosen.email} has an authenticator.")
    finally:
        running.close()
    print(f"{chosen.email} has no authenticator any more and is signed out everywhere. Make sure that it was them.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway people", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    said = "take the authenticator away from somebody who has lost it and every recovery code; ends all their sessions"
    actions.add_parser("reset-authenticator", help=said).add_argument("email")
    return parser
