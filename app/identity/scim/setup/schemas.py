"""What the forms of the directory page send."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class NewDirectory(Struct, frozen=True):
    """A directory to be set up."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    default_role: Annotated[str, Meta(max_length=60)] = ""


class TokenForm(Struct, frozen=True):
    """A new token; `at_once` ends the old one now rather than after the overlap."""

    at_once: bool = False


class StateForm(Struct, frozen=True):
    """Disable the directory, or let it speak again."""

    state: Annotated[str, Meta(pattern="^(active|disabled)$")]
