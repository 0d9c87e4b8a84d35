"""The manifest's `webhooks:` section: how messages that come in prove themselves, and where in them what is found.

Nothing here looks at a message: `app.connectors.inbound` does, by these values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal, Protocol

import msgspec

Scheme = Literal["standard_webhooks", "hubspot_v3", "stripe", "github", "slack", "hmac", "ed25519", "jwt"]
Algorithm = Literal["HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "ES384", "EdDSA"]
_PART: Final = re.compile(r"(\{(?:timestamp|id|body)\})")
_SHARED: Final = frozenset({"HS256", "HS384", "HS512"})


class Where(msgspec.Struct, frozen=True):
    """Where a value of a message stands: in a header, at JSON Pointers of the body (joined by `:`), or in a claim.

    `digest`: nowhere, so the message's own SHA-256 is taken, with its timestamp where it has one.
    """

    header: str = ""
    pointers: tuple[str, ...] = ()
    claim: str = ""
    digest: bool = False


class Stamp(msgspec.Struct, frozen=True):
    """The header that says when a message was signed, as whole seconds or milliseconds since 1970."""

    header: str
    unit: Literal["seconds", "milliseconds"] = "seconds"


class Signature(msgspec.Struct, frozen=True):
    """A signature in a header, of the text `signed`: `{body}`, and `{timestamp}` and `{id}` where the peer has them."""

    header: str
    encoding: Literal["hex", "base64"]
    signed: str = "{body}"
    prefix: str = ""
    algorithm: Literal["sha256", "sha512"] = "sha256"  # of an HMAC; Ed25519 knows no other
    timestamp: Stamp | None = None

    def parts(self) -> list[str]:
        """What is signed, piece by piece: a name in braces, or a text as it is."""
        return [part for part in _PART.split(self.signed) if part]


class Assertion(msgspec.Struct, frozen=True):
    """A JSON Web Token: in a header, with a claim that is the body's SHA-256; or the body itself (`in_body`)."""

    algorithms: tuple[Algorithm, ...]
    issuer: str
    audience: str
    in_body: bool = False
    header: str = "Authorization"
    prefix: str = "Bearer "
    claim: str = "body_sha256"
    encoding: Literal["hex", "base64", "base64url"] = "hex"

    @property
    def is_shared(self) -> bool:
        """Whether both sides hold the same key; never both kinds, or a public key would be taken for a shared one."""
        return set(self.algorithms) <= _SHARED


class Told(msgspec.Struct, frozen=True):
    """A type of message that is announced. `object`: JSON Pointer to the peer's own id of what it is about."""

    summary: str
    object: str = ""


class Handshake(msgspec.Struct, frozen=True):
    """A message that only wants an answer: of this type; what stands at `answer` is sent back.

    `at`: where its type stands, if elsewhere than that of other messages.
    """

    type: str
    answer: str
    at: str = ""


class Webhooks(msgspec.Struct, frozen=True):
    """How a connector's messages come in. `events` names the types that are announced; `customer.*` all that begin so.

    `batch`: the body is an array, each element a message. `secret` is a name from `secrets`, opened by the door.
    """

    scheme: Scheme
    secret: str
    message_id: Where
    event_type: Where
    events: dict[str, Told]
    batch: bool = False
    handshake: Handshake | None = None
    header_prefix: Literal["webhook", "svix"] = "webhook"
    hmac: Signature | None = None
    ed25519: Signature | None = None
    jwt: Assertion | None = None

    def told(self, kind: str) -> Told | None:
        """What is declared of a type: under its own name, else under the longest `….*` that it begins with."""
        if kind in self.events:
            return self.events[kind]
        wide = [name for name in self.events if name.endswith("*") and kind.startswith(name[:-1])]
        return self.events[max(wide, key=len)] if wide else None

    @property
    def signature(self) -> Signature | None:
        """The declared signature of a generic scheme."""
        return self.hmac or self.ed25519

    @property
    def is_dated(self) -> bool:
        """Whether the signature covers a time, so that an old message is known to be one."""
        return self.scheme != "github" and (self.signature is None or self.signature.timestamp is not None)

    @property
    def signs_id(self) -> bool:
        """Whether the signature covers the message's id, so that a copy cannot be given another one."""
        if not self.message_id.header:
            return True
        return self.scheme == "standard_webhooks" or "{id}" in (self.signature.signed if self.signature else "")

    @property
    def signs_address(self) -> bool:
        """Whether the signature covers the address that was called, which holds the token."""
        return self.scheme == "hubspot_v3"


class Slot(Protocol):
    """What is asked of a declared secret."""

    @property
    def opened_by(self) -> str:
        """`run` or `door`."""


def contradictions(webhooks: Webhooks, secrets: Mapping[str, Slot]) -> Iterator[tuple[str, str]]:
    """What the schema cannot say: a place in the section, and what is wrong there."""
    slot = secrets.get(webhooks.secret)
    if slot is None:
        yield "secret", "is not among secrets"
    elif slot.opened_by != "door":
        yield "secret", "must be opened by the door: it is asked for before anybody has signed in"
    if webhooks.scheme != "jwt" and (webhooks.message_id.claim or webhooks.event_type.claim):
        yield "message_id", "only a jwt has claims"
    if webhooks.batch and webhooks.message_id.header:
        yield "message_id", "a header cannot tell the messages of a batch apart"
    if webhooks.handshake and webhooks.batch:
        yield "handshake", "is one message, never a batch"
    if webhooks.signature:
        yield from _unsound(webhooks.signature, webhooks.message_id)
    if webhooks.jwt and not webhooks.jwt.is_shared and set(webhooks.jwt.algorithms) & _SHARED:
        yield "jwt/algorithms", "mixes shared keys with public ones: a public key would be taken for a shared one"


def _unsound(signature: Signature, message_id: Where) -> Iterator[tuple[str, str]]:
    parts = signature.parts()
    if parts.count("{body}") != 1:
        yield "signed", "must name {body} once: what is not signed can be altered"
    if (signature.timestamp is not None) != ("{timestamp}" in parts):
        yield "signed", "a timestamp has to be declared and signed, or neither: one that is not signed proves nothing"
    if "{id}" in parts and not message_id.header:
        yield "signed", "names {id}, but message_id is in no header"
