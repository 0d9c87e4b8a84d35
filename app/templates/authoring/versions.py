"""What may be published after what was published."""

from __future__ import annotations

from collections.abc import Collection

from app.kernel.errors import Conflict
from app.templates.overlays.versions import precedence


class VersionTaken(Conflict):
    """The version exists with other content, or a later one does."""


def check_next(version: str, published: Collection[str]) -> None:
    """A version is published once, and after every earlier one of its major number. Raises VersionTaken."""
    major = precedence(version)[0][0]
    same = [each for each in published if precedence(each)[0][0] == major]
    newest = max(same, key=precedence, default=None)
    if version in published:
        message = f"Version {version} is published already, with other content. Versions never change; raise it."
        raise VersionTaken(message, errors=[("/version", message)])
    if newest is not None and precedence(version) < precedence(newest):
        message = f"Version {newest} is published already; {version} would go back. Raise the version."
        raise VersionTaken(message, errors=[("/version", message)])


def next_minor(published: Collection[str]) -> str:
    """The version for what follows the newest one: its major number, the next minor."""
    newest = max(published, key=precedence)
    major, minor = precedence(newest)[0][:2]
    return f"{major}.{minor + 1}.0"
