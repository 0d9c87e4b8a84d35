"""What a call signs in with: secrets opened in a worker's run, and a fresh access token. Holds no transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from app.connectors.auth.schemes import ACCESS, AuthorizationCode, is_by_token
from app.connectors.auth.signing import Proof, SecretNotStored
from app.connectors.auth.token_requests import Peer, Refusal, Token, peer_of, read_token, token_request
from app.connectors.kit.contract import CallReport, Renew, SignedIn
from app.connectors.kit.manifest import Manifest
from app.connectors.kit.runner import Runner
from app.connectors.kit.settings import ConnectionConfig
from app.connectors.models import Connection
from app.connectors.tokens.operations import (
    ACTIVE,
    Claim,
    Closed,
    Held,
    ask_for_person,
    claim_renewal,
    give_back,
    keep_renewed,
)
from app.connectors.tokens.state import KEPT, find_state
from app.kernel.errors import Unavailable
from app.kernel.outbound.client import OutboundRequest, OutboundResponse, PeerOutcomeUnknown, PeerUnreachable
from app.kernel.outbound.egress import EgressRefused
from app.kernel.outbound.world_clock import world_time
from app.kernel.outcomes import Done, NeedsPerson, Outcome, TryAgain
from app.kernel.queue.jobs import JobRun
from app.kernel.work import Work, open_work
from app.vault.envelope import SecretUnreadable
from app.vault.keepers.wrapping import KeyMissing, KeysDisabled
from app.vault.keyring import Keyring
from app.vault.operations import SealedSecrets, take_connection_secrets
from app.vault.queries import KeysMissing
from app.vault.secret import Secret

RECONNECT: Final = "reconnect"  # the code of a report whose run waits until the connection is connected anew
PATIENCE: Final = 10.0  # seconds that a call waits for somebody else's renewal
_LOOK: Final = 0.2  # seconds between two looks
_SOON: Final = timedelta(seconds=5)
_MUCH_LATER: Final = timedelta(hours=1)  # where a peer is down for longer than a job has patience
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


def sign_in(run: JobRun, using: Using, sealed: SealedSecrets) -> SignedIn | CallReport:
    """Open the secrets and see to a fresh token; or the report of an attempt that cannot be made. Holds no session."""
    return SigningIn(run, using).with_sealed(sealed)


class SigningIn:
    """One call's signing in. `replacing`: values on trial, used instead of those of the same name.

    `trying`: also where the connection waits for a person.
    """

    def __init__(self, run: JobRun, using: Using, *, replacing: Opened | None = None, trying: bool = False) -> None:
        self.run = run
        self.using = using
        self.manifest: Manifest = run.runtime.service(Runner).registry.get(using.connector).manifest
        self.scheme = self.manifest.way(using.auth)
        self._replacing = replacing
        self._trying = trying

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
            return self._signed(plain)
        version, token = Token.read(opened[KEPT]) if KEPT in opened else (0, None)
        if token is None or self._replacing is not None or not self._is_fresh(token):
            renewed = self._renewed(plain, token, version)
            return renewed if isinstance(renewed, CallReport) else self._signed(renewed)
        secrets = plain | {ACCESS: token.access}
        return self._signed(secrets, partial(self._renewed, plain, token, version))

    def _signed(self, secrets: Mapping[str, Secret], renew: Renew | None = None) -> SignedIn:
        using = self.using
        return SignedIn(secrets, using.auth, renew, str(using.connection_id), ConnectionConfig.read(using.config))

    def renewed_now(self, opened: Opened) -> CallReport | None:
        """Renew the token there is, fresh or not; None where that went well."""
        plain = {name: value for name, value in opened.items() if name != KEPT}
        version, token = Token.read(opened[KEPT])
        renewed = self._renewed(plain, token, version)
        return renewed if isinstance(renewed, CallReport) else None

    def _is_fresh(self, token: Token) -> bool:
        return token.is_fresh(world_time(), getattr(self.scheme, "skew", 0))

    def _renewed(self, plain: Opened, token: Token | None, version: int) -> Opened | CallReport:
        """A newer token than this version: somebody's, or the one that is asked for here, by one at a time."""
        patience = time.monotonic() + PATIENCE
        while True:
            with self.run.work() as work:
                found = self._claim(work, version)
            if isinstance(found, Claim):
                return self._ask(found, plain, token)
            if isinstance(found, Closed):
                return self._person(f"{self.manifest.title} has to be connected anew.")
            if isinstance(found, SealedSecrets):
                newer = open_sealed(self.run, found)
                if isinstance(newer, CallReport):
                    return newer
                version, token = Token.read(newer[KEPT])
                if self._replacing is None:
                    return {**plain, ACCESS: token.access}
                continue  # somebody's renewal proves nothing of what is on trial
            if isinstance(found, Held) and time.monotonic() > patience:
                return CallReport(outcome=TryAgain(_SOON, "The access token is being renewed."), code="renewing")
            time.sleep(_LOOK)

    def _claim(self, work: Work, version: int) -> Claim | SealedSecrets | Held | Closed:
        using = self.using
        return claim_renewal(work, using.connection_id, seen=version, run_id=using.run_id, trying=self._trying)

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
        with beyond(self.run) as work:
            keep_renewed(work, claim, got)
        return {**plain, ACCESS: got.access}

    def peer(self) -> Peer:
        """Where this connection's tokens come from."""
        sandbox = self.run.tenant.kind == "sandbox"
        return peer_of(self.scheme, self.manifest.address, self.manifest.egress.ports, sandbox=sandbox)

    def _given_back(self, claim: Claim, report: CallReport) -> CallReport:
        with beyond(self.run) as work:
            give_back(work, claim, code=report.code)
        return report

    def _refused(self, claim: Claim, refusal: Refusal) -> CallReport:
        """No token: another try later, or a person. What was only on trial harms nothing that is in use."""
        said = f"{self.manifest.title} gave no access token ({refusal.code})."
        if refusal.later or self._replacing is not None:
            with beyond(self.run) as work:
                give_back(work, claim, lost=refusal.code.startswith("unknown_"), code=refusal.code)
            outcome = TryAgain(_SOON, said) if refusal.later else NeedsPerson(said)
            return CallReport(outcome=outcome, code="no_token", status=refusal.status)
        with beyond(self.run) as work:
            final = ask_for_person(work, claim, code=refusal.code)
        if not final:
            return CallReport(outcome=TryAgain(_SOON, said), code="renewing")
        return self._person(f"{said} Connect it anew.")

    @staticmethod
    def _person(said: str) -> CallReport:
        return CallReport(outcome=NeedsPerson(said), code=RECONNECT)


@contextmanager
def beyond(run: JobRun) -> Iterator[Work]:
    """A transaction for what a peer has given us, also where the job has gone to somebody else meanwhile.

    A refresh token that was used up is lost with the answer; its own version says whether it is still wanted.
    """
    with open_work(run.runtime, run.tenant, run.actor, trace_id=run.job.trace_id) as work:
        yield work


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


def _to_keep(work: Work, connection_id: UUID, version: int) -> tuple[Using, SealedSecrets] | None:
    """What to renew; None where somebody has since, or where a person has to."""
    row = work.session.get(Connection, connection_id)
    if row is None or row.state != ACTIVE or find_state(work.session, connection_id).version != version:
        return None
    sealed = take_connection_secrets(work, connection_id=connection_id, run_id=connection_id)
    return Using(row.id, row.connector, row.config, connection_id), sealed


def keep_alive(run: JobRun, connection_id: UUID, version: int) -> Outcome:
    """Renew a token of this version, where it still is the newest of a connection that works."""
    with run.work() as work:
        found = _to_keep(work, connection_id, version)
    if found is None:
        return Done()
    using, sealed = found
    opened = open_sealed(run, sealed)
    report = opened if isinstance(opened, CallReport) else SigningIn(run, using).renewed_now(opened)
    if report is None or not isinstance(report.outcome, TryAgain):
        return Done()
    if not run.last_attempt:
        return report.outcome
    with run.finish() as work:
        later = work.now + _MUCH_LATER
        work.set_timer("connectors.renew_token", subject_id=connection_id, due_at=later, version=version)
    return Done()
