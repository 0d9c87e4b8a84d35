"""What a task of the kind `signature` asks for: a text, who signs it, and what is kept of each signature."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from app.flow.fields import Field, Text

SIGNATURE_FIELDS = (
    Field(id="signed", label={"en": "Signed", "de": "Unterzeichnet", "ar": "تم التوقيع"}, type="boolean"),
    Field(
        id="signed_by",
        label={"en": "Signed by", "de": "Unterzeichnet von", "ar": "الموقّعون"},
        type="list",
        personal=True,
    ),
    Field(id="comment", label={"en": "Comment", "de": "Kommentar", "ar": "ملاحظة"}, type="long_text"),
)


class Signing(Struct, frozen=True, kw_only=True):
    """The text, and who signs: so many people, of a role only if one is named; or `everyone` who holds it."""

    text: Text
    role: str | None = None
    signers: int = 1
    everyone: bool = False


class Signature(Struct, frozen=True, kw_only=True):
    """One person has signed: the name as they typed it, the language they read, and the digest of exactly that text."""

    by: str
    name: str
    locale: str
    digest: str
    version: str
    definition: str
    at: datetime


def text_digest(text: str) -> str:
    """The address of a text: SHA-256 of its UTF-8, as `sha256sum` says it."""
    return hashlib.sha256(text.encode()).hexdigest()


def in_force(signing: Signing, signatures: Iterable[Signature]) -> list[Signature]:
    """Those that are of the text as it is: of a text that another version has changed, nobody has signed this one."""
    return [each for each in signatures if text_digest(signing.text.get(each.locale, "")) == each.digest]
