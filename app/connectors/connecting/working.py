"""What a worker does for a connection outside: exchange a code, try it out, revoke its token. Between transactions."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from app.connectors.auth.signing import Proof, SecretNotStored
from app.connectors.auth.token_requests import Code, Refusal, Token, code_request, read_token, revoke_request
from app.connectors.connecting.outcomes import (
    Begun,
    begin_exchange,
    begin_revocation,
    begin_test,
    end_exchange,
    end_revocation,
    end_test,
    refuse_exchange,
)
from app.connectors.kit.contract import ActionCall, CallReport, SignedIn
from app.connectors.kit.runner import Runner
from app.connectors.tokens.renewing import SigningIn, Using, beyond, fetch, open_sealed
from app.connectors.tokens.state import KEPT
from app.kernel.errors import Unavailable
from app.kernel.outbound.egress import EgressRefused
from app.kernel.outbound.world_clock import world_time
from app.kernel.outcomes import Done, Outcome, TryAgain
from app.kernel.queue.jobs import JobRun

_SOON: Final = timedelta(seconds=5)


def exchange_code(run: JobRun, connection_id: UUID, digest: str) -> Outcome:
    """Ask the peer for the tokens of a code: good once, so one whose end nobody knows is not sent again."""
    with run.work() as work:
        begun = begin_exchange(work, connection_id, digest)
    if begun is None:
        return Done()
    got = _exchanged(run, begun)
    if isinstance(got, Refusal) and got.later and not got.code.startswith("unknown_") and not run.last_attempt:
        return TryAgain(_SOON, got.code)
    with beyond(run) as work:
        if isinstance(got, Token):
            end_exchange(work, connection_id, digest, got)
        else:
            refuse_exchange(work, connection_id, digest, said=got.code)
    return Done()


def _exchanged(run: JobRun, begun: Begun) -> Token | Refusal | CallReport:
    opened, grant = open_sealed(run, begun.sealed), open_sealed(run, begun.beside or begun.sealed)
    if isinstance(opened, CallReport) or isinstance(grant, CallReport):
        return Refusal("secrets_closed", later=isinstance(opened, CallReport) and isinstance(opened.outcome, TryAgain))
    signing = SigningIn(run, _using(begun))
    peer, now = signing.peer(), world_time()
    code = Code(grant["code"], grant["verifier"], begun.redirect_uri)
    try:
        request = code_request(peer, code, Proof(opened, signing.using.auth, now))
    except SecretNotStored:
        return Refusal("secret_missing", later=False)
    return fetch(run, request, lambda answer: read_token(peer.scheme, answer, world_time(), None))


def test_connection(run: JobRun, connection_id: UUID, asked_at: str) -> Outcome:
    """Ask the manifest's harmless question, with what is in use or with what is on trial."""
    with run.work() as work:
        begun = begin_test(work, connection_id, asked_at)
    if begun is None:
        return Done()
    report = _tried(run, begun, asked_at)
    if isinstance(report.outcome, TryAgain) and not run.last_attempt:
        return TryAgain(min(report.outcome.after, _SOON * run.job.attempts), report.outcome.reason)
    with run.finish() as work:
        end_test(work, connection_id, asked_at, report)
    return Done()


def _tried(run: JobRun, begun: Begun, asked_at: str) -> CallReport:
    opened = open_sealed(run, begun.sealed)
    trial = open_sealed(run, begun.beside) if begun.beside else None
    if isinstance(opened, CallReport):
        return opened
    if isinstance(trial, CallReport):
        return trial
    signing = SigningIn(run, _using(begun), replacing=trial, trying=True)
    signed = signing.with_opened(opened)
    if isinstance(signed, CallReport):
        return signed
    return _asked(run, begun, signed, signing.manifest.verify, asked_at)


def _asked(run: JobRun, begun: Begun, signed: SignedIn, action: str, asked_at: str) -> CallReport:
    call = ActionCall(
        provider=begun.connector,
        action=action,
        input={},
        idempotency_key=f"test:{begun.connection_id}:{asked_at}",
        secrets=signed.secrets,
        auth=signed.auth,
        renew=signed.renew,
        config=signed.config,  # and no connection: a person who tries it out is not put off
        attempt=2,  # what is refused is refused: nothing is read anew for a second try
        sandbox=run.tenant.kind == "sandbox",
    )
    return run.runtime.service(Runner).call(call)


def revoke_token(run: JobRun, connection_id: UUID) -> Outcome:
    """Tell the peer that a removed connection's token is not used any more, where it wants to know; then forget it."""
    with run.work() as work:
        begun = begin_revocation(work, connection_id)
    if begun is not None and not _revoked(run, begun) and not run.last_attempt:
        return TryAgain(_SOON * 2**run.job.attempts, "The peer could not be told.")
    with run.finish() as work:
        end_revocation(work, connection_id)
    return Done()


def _revoked(run: JobRun, begun: Begun) -> bool:
    """Whether it knows, or never will."""
    opened, signing = open_sealed(run, begun.sealed), SigningIn(run, _using(begun))
    if isinstance(opened, CallReport):
        return not isinstance(opened.outcome, TryAgain)
    peer, (_version, token) = signing.peer(), Token.read(opened[KEPT])
    if not peer.scheme.revoke_url:
        return True
    spent, hint = (token.refresh, "refresh_token") if token.refresh else (token.access, "access_token")
    try:
        request = revoke_request(peer, spent, hint, Proof(opened, signing.using.auth, world_time()))
        return run.runtime.service(Runner).client.send(request).status < 500  # noqa: PLR2004  the peer's own trouble
    except (SecretNotStored, EgressRefused):
        return True
    except Unavailable:
        return False


def _using(begun: Begun) -> Using:
    return Using(begun.connection_id, begun.connector, begun.config, begun.connection_id)
