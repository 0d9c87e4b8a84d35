"""The address of a published version, as paths and forms say it."""

from __future__ import annotations

import re

from app.templates.queries import NO_SUCH, TemplateMissing

_ADDRESS = re.compile(r"[0-9a-f]{64}")


def digest_of(address: str) -> str:
    """The content address that a path names. Raises TemplateMissing for what can be none."""
    if not _ADDRESS.fullmatch(address):
        raise TemplateMissing(NO_SUCH)
    return f"sha256:{address}"
