"""What was signed, exactly as it was: each text is kept by its digest."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from app.audit.queries.documents import find_document

KEPT: Final = "signed_text"


def signed_text(session: Session, digest: str) -> str | None:
    """The text of that digest as somebody read and signed it; None where the workspace holds none."""
    found = find_document(session, KEPT, digest)
    return str(found.body["text"]) if found else None
