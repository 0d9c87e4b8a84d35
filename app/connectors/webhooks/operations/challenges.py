"""Asks an address to prove that whoever named it may receive there: a code goes out, and is given back or typed."""

from __future__ import annotations

import hmac
from uuid import UUID

import msgspec
from msgspec.structs import replace

from app.connectors.webhooks.envelope import write_challenge
from app.connectors.webhooks.operations.care import stopped, verified
from app.connectors.webhooks.operations.endpoints import save
from app.connectors.webhooks.operations.keys import open_keys
from app.connectors.webhooks.operations.messages import Message
from app.connectors.webhooks.queries import find_endpoint_or_none
from app.connectors.webhooks.rules import KEY_GONE
from app.connectors.webhooks.sender import Answer
from app.connectors.webhooks.signing import code_of, digest_of, sign
from app.kernel.ids import new_id
from app.kernel.work import Work

SYSTEM_ONLY = {
    "begin_challenge": "called by the job that sends it",
    "end_challenge": "called by the job that sent it",
}


def begin_challenge(work: Work, endpoint_id: UUID, number: int) -> Message | None:
    """The message that asks an address to prove itself; None where that is over. Raises KeysMissing, KeysDisabled."""
    endpoint = find_endpoint_or_none(work, endpoint_id, locked=True)
    if endpoint is None or endpoint.state != "unverified" or endpoint.challenge.number != number:
        return None
    keys, message_id = open_keys(work, endpoint), new_id()
    if not keys:
        stopped(work, endpoint, KEY_GONE)
        return None
    code = code_of(keys[0], str(endpoint.id), endpoint.url, number)
    body = write_challenge(work.tenant.id, message_id, work.now, code)
    headers = sign(keys, str(message_id), work.database_now, body)
    return Message(endpoint.id, endpoint.url, headers, body, digest=digest_of(code))


def end_challenge(work: Work, message: Message, number: int, answer: Answer) -> None:
    """Write down how it went: an address that gives the code back is verified, else a person may type it."""
    endpoint = find_endpoint_or_none(work, message.endpoint_id, locked=True)
    if endpoint is None or endpoint.state != "unverified" or endpoint.challenge.number != number:
        return
    said = "" if answer.taken else answer.said
    asked = replace(endpoint.challenge, digest=message.digest, sent_at=work.database_now, said=said)
    endpoint = replace(endpoint, challenge=asked)
    if answer.taken and echoed(answer.content, message.digest):
        verified(work, endpoint, by="echo")
    else:
        save(work, endpoint)


def echoed(content: bytes, digest: str) -> bool:
    """Whether an answer gives the code back: as plain text, as a string of JSON, or as `challenge` of an object."""
    try:
        told = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = None
    code = told.get("challenge") if isinstance(told, dict) else told
    heard = [code, content.decode("utf-8", "replace")]
    return any(isinstance(each, str) and hmac.compare_digest(digest_of(each), digest) for each in heard)
