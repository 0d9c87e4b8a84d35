"""The five kinds of expected trouble. A named error subclasses one of them beside the function that raises it."""

from __future__ import annotations

from typing import ClassVar


def mark(message: str) -> str:
    """The message itself; marks a message id in Python for extraction, translated later by the page that shows it."""
    return message


class SlipwayError(Exception):
    """Expected trouble: its text is what the user reads, its kind decides the status.

    `slug` is the stable name of a problem type (RFC 9457), made from the class name unless a class sets its own.
    `errors` holds places inside the input: a list of `(JSON Pointer, sentence)`. `extensions` are facts for software,
    beside the sentence for people: further members of the problem.
    """

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "trouble"

    def __init__(self, message: str, *, errors: list[tuple[str, str]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.errors = errors or []
        self.extensions: dict[str, str] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "slug" not in cls.__dict__:
            cls.slug = "".join(f"-{c.lower()}" if c.isupper() else c for c in cls.__name__).lstrip("-")


class Missing(SlipwayError):
    """What was asked for is not there, or not for this actor to see."""

    status = 404


class Conflict(SlipwayError):
    """The request is fine, the state of things has moved on."""

    status = 409


class Forbidden(SlipwayError):
    """The actor may not do this here."""

    status = 403


class Invalid(SlipwayError):
    """The input cannot be used; nothing was changed."""

    status = 422


class Unavailable(SlipwayError):
    """It would work later: a part is down or busy. `retry_after` is in seconds."""

    status = 503
    retry_after: ClassVar[int] = 5
