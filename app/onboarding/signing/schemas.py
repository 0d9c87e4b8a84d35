"""Texts to sign, and signatures, as software sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct


class SignatureOut(Struct, frozen=True):
    """One signature: who, the name as typed, and the language, digest and template version of what they read."""

    by: str
    name: str
    at: datetime
    locale: str
    digest: str
    version: str
    text: str | None  # exactly what was signed; None where the workspace does not hold it


class SigningOut(Struct, frozen=True):
    """What is signed in a step, by language, with the digest that a signature of it names; and who has signed."""

    text: dict[str, str]
    digests: dict[str, str]
    role: str | None
    signers: int
    everyone: bool
    signatures: list[SignatureOut]


class SignatureWish(Struct, frozen=True, forbid_unknown_fields=True):
    """A person signs: their full name, the language they read, its digest, and that they mean it (`confirmed`)."""

    name: Annotated[str, Meta(max_length=200)]
    locale: Annotated[str, Meta(pattern="^[a-z]{2}(-[A-Z]{2})?$")]
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    confirmed: bool
