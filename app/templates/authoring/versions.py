"""Semantic versions in their order (semver.org, 11), and what may be published after what was published."""

from __future__ import annotations

from collections.abc import Collection

from app.kernel.errors import Conflict

Key = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]


class VersionTaken(Conflict):
    """The version exists with other content, or a later one does."""


def order(version: str) -> Key:
    """A key that sorts versions as the specification does: a pre-release comes before its release."""
    core, _, pre = version.partition("-")
    words = tuple((not word.isdecimal(), int(word) if word.isdecimal() else 0, word) for word in pre.split(".") if pre)
    return tuple(int(part) for part in core.split(".")), not pre, words


def check_next(version: str, published: Collection[str]) -> None:
    """A version is published once, and after every earlier one of its major number. Raises VersionTaken."""
    major = order(version)[0][0]
    same = [each for each in published if order(each)[0][0] == major]
    newest = max(same, key=order, default=None)
    if version in published:
        message = f"Version {version} is published already, with other content. Versions never change; raise it."
        raise VersionTaken(message, errors=[("/version", message)])
    if newest is not None and order(version) < order(newest):
        message = f"Version {newest} is published already; {version} would go back. Raise the version."
        raise VersionTaken(message, errors=[("/version", message)])
