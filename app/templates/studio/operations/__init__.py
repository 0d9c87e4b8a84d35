"""Changes drafts in a partner's home."""

from app.templates.studio.operations.drafts import Text, discard_draft, note_published, save_draft, start_draft
from app.templates.studio.operations.simulations import ask_simulation, stop_walking, walk_draft

__all__ = [
    "Text",
    "ask_simulation",
    "discard_draft",
    "note_published",
    "save_draft",
    "start_draft",
    "stop_walking",
    "walk_draft",
]
