"""Pages of templates tell what the marketplace knows of the end of a version."""

from __future__ import annotations

from app.marketplace.queries.ends import list_ends
from app.templates.lines.ends import Ends


def end_services() -> dict[type, object]:
    """The services of every program that shows pages."""
    return {Ends: Ends(list_ends)}
