"""What a call signs in with: secrets opened in a worker's run, and an access token that is fresh. Between transactions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from app.connectors.auth.schemes import ACCESS, AuthorizationCode, is_by_token
from app.connectors.auth.signing import Proof, SecretNotStored
from app.connectors.auth.token_requests import Peer, Refusal, Token, peer_of, read_token, token_request
from app.connectors.kit.contract import CallReport, Renew
from app.connectors.kit.manifest import Manifest
from app.connectors.kit.runner import Runner
from app.connectors.tokens.operations import Claim, Closed, Held, ask_for_person, claim_renewal, give_back, keep_renewed
from app.connectors.tokens.state import KEPT
from app.kernel.errors import Unavailable
from app.kernel.outbound.client import OutboundRequest, OutboundResponse, PeerOutcomeUnknown, PeerUnreachable
from app.kernel.outbound.egress import EgressRefused
from app.kernel.outbound.world_clock import world_time
from app.kernel.outcomes import NeedsPerson, TryAgain
from app.kernel.queue.jobs import JobRun
from app.vault.envelope import SecretUnreadable
from app.vault.keepers.wrapping import KeyMissing, KeysDisabled
from app.vault.keyring import Keyring
from app.vault.operations import SealedSecrets
from app.vault.queries import KeysMissing
from app.vault.secret import Secret

RECONNECT: Final = "reconnect"  # the code of a report whose run waits until the connection is connected anew
PATIENCE: Final = 10.0  # seconds that a call waits for somebody else's renewal
_LOOK: Final = 0.2  # seconds between two looks
_SOON: Final = timedelta(seconds=5)
_KEYS_BACK: Final = timedelta(seconds=30)  # a vault that does not answer is asked again after this

Opened = Mapping[str, Secret]


@dataclass(frozen=True, slots=True)
class Using:
    """Which connection is called, for which run, and how it signs in."""

    connection_id: UUID
    connector: str
    config: Mapping[str, Any] = field(repr=False)
    run_id: UUID

    @property
    def auth(self) -> Mapping[str, str]:
        """The way that the connection goes, and its plain fields."""
        found: Mapping[str, str] = self.config.get("auth") or {}
        return found


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What goes into an `ActionCall`."""

    secrets: Opened = field(repr=False)
    auth: Mapping[str, str]
    renew: Renew | None = field(default=None, repr=False)


def sign_in(run: JobRun, using: Using, sealed: SealedSecrets) -> SignedIn | CallReport:
    """Open the secrets and see to a fresh token; or the report of an attempt that cannot be made. Holds no session."""
    return SigningIn(run, using).with_sealed(sealed)


class SigningIn:
    """One call's signing in. `replacing`: values on trial, used instead of those of the same name."""

    def __init__(self, run: JobRun, using: Using, replacing: Opened | None = None) -> None:
        self.run = run
        self.using = using
        self.manifest: Manifest = run.runtime.service(Runner).registry.get(using.connector).manifest
        self.scheme = self.manifest.way(using.auth)
        self._replacing = replacing

    def with_sealed(self, sealed: SealedSecrets) -> SignedIn | CallReport:
        """As `sign_in`."""
        opened = open_sealed(self.run, sealed)
        if isinstance(opened, CallReport):
            return opened
        return self.with_opened(opened)

    def with_opened(self, opened: Opened) -> SignedIn | CallReport:
        """The same with what is open already."""
        plain = {name: value for name, value in opened.items() if name != KEPT} | dict(self._replacing or {})
        if not is_by_token(self.scheme):
            return SignedIn(plain, self.using.auth)
        version, token = Token.read(opened[KEPT]) if KEPT in opened else (0, None)
        if token is None or self._replacing is not None or not self._is_fresh(token):
            renewed = self._renewed(plain, token, version)
            return renewed if isinstance(renewed, CallReport) else SignedIn(renewed, self.using.auth)
        secrets = plain | {ACCESS: token.access}
        return SignedIn(secrets, self.using.auth, partial(self._renewed, plain, token, version))

    def _is_fresh(self, token: Token) -> bool:
        return token.is_fresh(world_time(), getattr(self.scheme, "skew", 0))

    def _renewed(self, plain: Opened, token: Token | None, version: int) -> Opened | CallReport:
        """A newer token than this version: somebody's, or the one that is asked for here, by one at a time."""
        patience = time.monotonic() + PATIENCE
        while True:
            with self.run.work() as work:
                found = claim_renewal(work, self.using.connection_id, seen=version, run_id=self.using.run_id)
            if isinstance(found, Claim):
                return self._ask(found, plain, token)
            if isinstance(found, Closed):
                return self._person(f"{self.manifest.title} has to be connected anew.")
            if isinstance(found, SealedSecrets):
                return self._newer(found, plain)
            if isinstance(found, Held) and time.monotonic() > patience:
                return CallReport(outcome=TryAgain(_SOON, "The access token is being renewed."), code="renewing")
            time.sleep(_LOOK)

    def _newer(self, sealed: SealedSecrets, plain: Opened) -> Opened | CallReport:
        opened = open_sealed(self.run, sealed)
        if isinstance(opened, CallReport):
            return opened
        return {**plain, ACCESS: Token.read(opened[KEPT])[1].access}

    def _ask(self, claim: Claim, plain: Opened, token: Token | None) -> Opened | CallReport:
        """Call the token endpoint, with the lease in hand and no transaction open; whatever comes of it, settle it."""
        refresh = token.refresh if token else None
        if isinstance(self.scheme, AuthorizationCode) and refresh is None:
            return self._refused(claim, Refusal("no_refresh_token", later=False))
        peer = self.peer()
        try:
            request = token_request(peer, refresh, Proof(plain, self.using.auth, world_time()))
        except SecretNotStored as error:
            return self._given_back(claim, CallReport(outcome=NeedsPerson(error.message), code="secret_missing"))
        got = fetch(self.run, request, lambda answer: read_token(peer.scheme, answer, world_time(), refresh))
        if isinstance(got, CallReport):
            return self._given_back(claim, got)
        if isinstance(got, Refusal):
            return self._refused(claim, got)
        with self.run.work() as work:
            keep_renewed(work, claim, got)
        return {**plain, ACCESS: got.access}

    def peer(self) -> Peer:
        """Where this connection's tokens come from."""
        sandbox = self.run.tenant.kind == "sandbox"
        return peer_of(self.scheme, self.manifest.address, self.manifest.egress.ports, sandbox=sandbox)

    def _given_back(self, claim: Claim, report: CallReport) -> CallReport:
        with self.run.work() as work:
            give_back(work, claim, code=report.code)
        return report

    def _refused(self, claim: Claim, refusal: Refusal) -> CallReport:
        """No token: another try later, or a person. What was only on trial harms nothing that is in use."""
        said = f"{self.manifest.title} gave no access token ({refusal.code})."
        if refusal.later or self._replacing is not None:
            with self.run.work() as work:
                give_back(work, claim, lost=refusal.code.startswith("unknown_"), code=refusal.code)
            outcome = TryAgain(_SOON, said) if refusal.later else NeedsPerson(said)
            return CallReport(outcome=outcome, code="no_token", status=refusal.status)
        with self.run.work() as work:
            final = ask_for_person(work, claim, code=refusal.code)
        if not final:
            return CallReport(outcome=TryAgain(_SOON, said), code="renewing")
        return self._person(f"{said} Connect it anew.")

    @staticmethod
    def _person(said: str) -> CallReport:
        return CallReport(outcome=NeedsPerson(said), code=RECONNECT)


def open_sealed(run: JobRun, sealed: SealedSecrets) -> dict[str, Secret] | CallReport:
    """The secrets in the clear, or the report of an attempt that cannot be made without them."""
    try:
        return sealed.open(run.runtime.service(Keyring))
    except (KeyMissing, KeysDisabled, SecretUnreadable, KeysMissing) as error:
        return CallReport(outcome=NeedsPerson(error.message), code="secrets_closed")
    except Unavailable as error:
        return CallReport(outcome=TryAgain(_KEYS_BACK, error.message), code="keys_away")


def fetch(
    run: JobRun, request: OutboundRequest, read: Callable[[OutboundResponse], Token | Refusal]
) -> Token | Refusal | CallReport:
    """Send a request to a token endpoint, by the one guarded way out, and read its answer."""
    try:
        return read(run.runtime.service(Runner).client.send(request))
    except EgressRefused as error:
        return CallReport(outcome=NeedsPerson(error.message), code=f"egress_{error.rule}")
    except PeerUnreachable:
        return Refusal("unreachable", later=True)
    except PeerOutcomeUnknown as error:
        return Refusal(f"unknown_{error.reason}", later=True)
