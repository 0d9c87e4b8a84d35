"""Checkpoints as signed notes (C2SP signed-note and tlog-checkpoint), under Ed25519. Text in, text out.

<origin>
<number of leaves>
<root, base64>

— <origin> <key id and signature, base64>
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.kernel.errors import Invalid

_ED25519: Final = b"\x01"
_ID_BYTES: Final = 4
_KEY_BYTES: Final = 32
_DASH: Final = "\u2014 "
_NUMBER_LONGEST: Final = 19


class NoteBroken(Invalid):
    """What was given is no checkpoint, or no key of one."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How large the tree of `origin` is, and its root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key under its name, written as `name+id+key`."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that say which key has signed."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_ID_BYTES]

    @property
    def written(self) -> str:
        """The key as people pass it on."""
        return f"{self.name}+{self.id.hex()}+{b64encode(_ED25519 + self.public).decode()}"

    @property
    def fingerprint(self) -> str:
        """What people read to each other: SHA-256 of the written key, in groups of four."""
        said = hashlib.sha256(self.written.encode()).hexdigest()
        return " ".join(said[start : start + 4] for start in range(0, 32, 4))


def read_key(written: str) -> NoteKey:
    """The key from its written form. Raises NoteBroken."""
    parts = written.strip().split("+", 2)
    if len(parts) == 3:  # noqa: PLR2004 - name, id, key
        raw = _decoded(parts[2])
        key = NoteKey(parts[0], raw[1:])
        if raw[:1] == _ED25519 and len(key.public) == _KEY_BYTES and key.written == written.strip():
            return key
    raise NoteBroken("This is no key of a trail: it has the form name+id+key. Copy it again, whole.")


def make_key(name: str) -> tuple[NoteKey, bytes]:
    """A new pair: the public key under that name, and the 32 bytes of its private key."""
    private = Ed25519PrivateKey.generate()
    return NoteKey(name, private.public_key().public_bytes_raw()), private.private_bytes_raw()


def sign(checkpoint: Checkpoint, key: NoteKey, private: bytes) -> str:
    """The checkpoint as a note under one signature."""
    signature = Ed25519PrivateKey.from_private_bytes(private).sign(checkpoint.text.encode())
    return f"{checkpoint.text}\n{_DASH}{key.name} {b64encode(key.id + signature).decode()}\n"


def read_note(note: str) -> Checkpoint:
    """What a note says, whoever has signed it. Raises NoteBroken unless it is written as we write it."""
    lines = note.split("\n")
    if len(lines) != 6 or lines[3] or lines[5] or not lines[0]:  # noqa: PLR2004 - the lines of the form above
        raise NoteBroken("This is no checkpoint of a trail.")
    number = lines[1]
    if not (number.isascii() and number.isdigit()) or len(number) > _NUMBER_LONGEST or str(int(number)) != number:
        raise NoteBroken("The checkpoint does not say how many entries there are.")
    found = Checkpoint(lines[0], int(number), _decoded(lines[2]))
    if len(found.root) != _KEY_BYTES or f"{found.text}\n{lines[4]}\n" != note:
        raise NoteBroken("The root in the checkpoint is no SHA-256 hash.")
    return found


def is_signed(note: str, key: NoteKey) -> bool:
    """Whether the note's one signature is of this key. Raises NoteBroken."""
    checkpoint = read_note(note)
    line = note.split("\n")[4]
    raw = _decoded(line.removeprefix(f"{_DASH}{key.name} "))
    if line != f"{_DASH}{key.name} {b64encode(raw).decode()}" or raw[:_ID_BYTES] != key.id:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(raw[_ID_BYTES:], checkpoint.text.encode())
    except InvalidSignature:
        return False
    return True


def _decoded(text: str) -> bytes:
    try:
        raw = b64decode(text.encode("ascii"), validate=True)
    except (NotBase64, ValueError):
        return b""
    return raw if b64encode(raw).decode() == text else b""
