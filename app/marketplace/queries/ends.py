"""What an organisation has taken and should leave, as pages of templates and of running work tell it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.marketplace.rules import newest
from app.templates.lines.ends import End
from app.templates.overlays.versions import precedence

_ENDS: Final = text("SELECT * FROM control.list_ends()")


def list_ends(session: Session) -> list[End]:
    """Every version that the organisation has and whose publisher, or the operator, has ended it; in its scope."""
    return [_end(row) for row in session.execute(_ENDS)]


def _end(row: Any) -> End:
    later = [each for each in row.newer if precedence(each) > precedence(row.version)]
    return End(
        template_id=row.template_id,
        digest=row.digest,
        number=row.number or row.version,
        version=row.version,
        state=row.state,
        reason=row.notice["reason"],
        at=datetime.fromisoformat(row.notice["at"]),
        replaced_by=row.notice["replaced_by"],
        ends_on=row.notice["ends_on"],
        newer=newest(later) if later else "",
        listing=f"/marketplace/listings/{row.listing_id}",
    )
