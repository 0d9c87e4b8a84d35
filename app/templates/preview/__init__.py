"""How a template looks before it runs: its board, timeline and forms, and what it needs. Pure; in one language."""

from app.templates.preview.board import board_of
from app.templates.preview.changes import changes_of
from app.templates.preview.facts import facts_of
from app.templates.preview.forms import forms_of, specs_of
from app.templates.preview.timeline import timeline_of

__all__ = ["board_of", "changes_of", "facts_of", "forms_of", "specs_of", "timeline_of"]
