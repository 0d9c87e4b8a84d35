"""Files as made-up histories hand them over: references to nothing, the same ones each time."""

from __future__ import annotations

from uuid import UUID


def handed_over(count: int) -> str:
    """The answer of a place with so many files in it."""
    return "\n".join(str(UUID(int=number + 1)) for number in range(count))
