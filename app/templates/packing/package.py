"""What a package is made of, and its one byte form (RFC 8785).

Everything but the signature is signed: the publisher's key is written in it as keys of trails are (`name+id+key`), and
every part has its content address, so that it can be said which one is not what was packed.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit.note import NoteKey
from app.kernel.errors import Invalid

FORMAT: Final = "1"
ADAPTED: Final = "2"  # the format of a template with adaptations upon it; without any, an older installation reads it
LARGEST: Final = 2_000_000  # bytes
PARTS: Final = {
    FORMAT: ("template", "tests", "sample", "readme", "changelog"),
    ADAPTED: ("template", "overlays", "tests", "sample", "readme", "changelog"),
}


class PackageRefused(Invalid):
    """What was to be packed cannot be."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a package: plain documents, and texts for people. `tests` are whole documents of tests.

    `overlays` are adaptations upon the template, each written for what those before it make.
    """

    template: Mapping[str, Any]
    tests: tuple[Mapping[str, Any], ...] = ()
    sample: Mapping[str, Any] | None = None
    readme: str = ""
    changelog: str = ""
    overlays: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who signs."""

    key: NoteKey
    private: Ed25519PrivateKey


def publisher(name: str, private: Ed25519PrivateKey) -> Publisher:
    """Who signs under that name with that key. Raises PackageRefused for a name that cannot be written in a key."""
    if not name.strip() or name != name.strip() or len(name) > 100 or not name.isprintable() or "+" in name:  # noqa: PLR2004  # as the schema says
        raise PackageRefused("A publisher's name has 1 to 100 characters on one line, and no “+”.")
    return Publisher(NoteKey(name, private.public_key().public_bytes_raw()), private)


def write_package(contents: Contents, signer: Publisher, created: str) -> bytes:
    """The package of a template that was made at a moment (RFC 3339). Raises PackageRefused when it is too large."""
    parts: dict[str, Any] = {
        "template": dict(contents.template),
        "tests": [dict(each) for each in contents.tests],
        "sample": dict(contents.sample) if contents.sample is not None else None,
        "readme": contents.readme,
        "changelog": contents.changelog,
    }
    if contents.overlays:
        parts["overlays"] = [dict(each) for each in contents.overlays]
    layout = ADAPTED if contents.overlays else FORMAT
    told = {"package": layout, "language": contents.template["slipway"], "created": created}
    try:
        addresses = {name: address_of(parts[name]) for name in PARTS[layout]}
        who = {"publisher": signer.key.name, "key": signer.key.written}
        signed = parts | told | who | {"addresses": addresses}
        signature = signer.private.sign(rfc8785.dumps(signed))
        raw = rfc8785.dumps(signed | {"signature": b64encode(signature).decode()})
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as trouble:
        raise PackageRefused(f"This cannot be packed: {trouble}.") from None
    if len(raw) > LARGEST:
        raise PackageRefused(f"The package would have {len(raw):,} bytes; {LARGEST:,} is the most.")
    return raw


def address_of(part: Any) -> str:
    """The content address of a part: `sha256:` and the hash of its canonical form."""
    return f"sha256:{hashlib.sha256(rfc8785.dumps(part)).hexdigest()}"
