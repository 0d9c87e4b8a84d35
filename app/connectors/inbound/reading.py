"""From verified bytes to messages: their ids and types, by the places that the manifest names. Stores nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from app.connectors.inbound.rules import Message
from app.connectors.inbound.schemes import Arrival, Verified
from app.connectors.kit.answers.meaning import at_pointer
from app.connectors.kit.webhooks import Webhooks, Where
from app.kernel.errors import Invalid

MOST_MESSAGES: Final = 1_000  # of one batch
_LONGEST: Final = 200  # characters of an id, a type, an answer to a handshake
_MOST_FIELDS: Final = 1_000
_PLAIN: Final = re.compile(r"[^\x00-\x1f\x7f]+")
_FORM: Final = "application/x-www-form-urlencoded"


class Unreadable(Invalid):
    """The delivery is the peer's, but not what the manifest says it sends. The text says what is wrong with it."""


def read_messages(webhooks: Webhooks, arrival: Arrival, verified: Verified) -> list[Message]:
    """The messages of a delivery, in its order, those of undeclared types too. Raises Unreadable."""
    document = _document(arrival, verified.message)
    parts = list(_parts(webhooks, document))
    return [_message(webhooks, arrival, verified, part) for part in parts]


def answer_of(webhooks: Webhooks, arrival: Arrival, verified: Verified) -> str | None:
    """What a handshake wants back, None for another message. Raises Unreadable."""
    if webhooks.handshake is None:
        return None
    document = _document(arrival, verified.message)
    at = webhooks.handshake.at
    kind = at_pointer(document, at) if at else _found(webhooks.event_type, arrival, verified, document)
    if _text(kind) != webhooks.handshake.type:
        return None
    answer = _text(at_pointer(document, webhooks.handshake.answer))
    if answer is None or not answer.isascii():
        raise Unreadable(f"It wants an answer, but holds none at {webhooks.handshake.answer}.")
    return answer


def digest_of(arrival: Arrival, at: datetime | None) -> str:
    """What is the same for the same delivery, and for no other of another time."""
    stamp = f"{at.timestamp()}." if at else ""
    return hashlib.sha256(stamp.encode() + arrival.body).hexdigest()


def _document(arrival: Arrival, message: bytes) -> Any:  # Any: JSON of any shape
    media = next(iter(arrival.every("content-type")), "").partition(";")[0].strip().lower()
    try:
        if media == _FORM:
            return dict(parse_qsl(message.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        return msgspec.json.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Unreadable(f"The body cannot be read: {str(error)[:_LONGEST]}.") from error


def _parts(webhooks: Webhooks, document: Any) -> Iterator[Any]:
    if not webhooks.batch:
        yield document
        return
    if not isinstance(document, list) or len(document) > MOST_MESSAGES:
        raise Unreadable(f"The body is not a list of up to {MOST_MESSAGES} messages.")
    yield from document


def _message(webhooks: Webhooks, arrival: Arrival, verified: Verified, part: Any) -> Message:
    message_id = _text(_found(webhooks.message_id, arrival, verified, part))
    kind = _text(_found(webhooks.event_type, arrival, verified, part))
    if message_id is None or kind is None:
        place = "message_id" if message_id is None else "event_type"
        raise Unreadable(f"It holds no {place} where the manifest says that it stands.")
    told = webhooks.told(kind)
    about = _text(at_pointer(part, told.object)) if told and told.object else None
    return Message(message_id, kind, about or "")


def _found(where: Where, arrival: Arrival, verified: Verified, part: Any) -> Any:
    if where.digest:
        return digest_of(arrival, verified.at)
    if where.claim:
        return verified.claims.get(where.claim)
    if where.header:
        found = arrival.every(where.header)
        return found[0] if len(found) == 1 else None
    values = [_text(at_pointer(part, pointer)) for pointer in where.pointers]
    return ":".join(each for each in values if each is not None) if None not in values else None


def _text(value: Any) -> str | None:
    """A name or a number as a text, if it is one that can be kept and shown."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    return text if len(text) <= _LONGEST and _PLAIN.fullmatch(text) else None
