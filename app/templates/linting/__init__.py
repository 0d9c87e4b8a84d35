"""What the schema cannot see."""

from app.templates.linting.lint import lint_document

__all__ = ["lint_document"]
