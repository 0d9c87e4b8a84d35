"""Whom a text means by `@name`: people of the onboarding, by their name or a first name that is one person's. Pure.

An `@` in front of anything else is just that: no address and no handle of another system is taken for a mention.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from app.kernel.errors import Invalid
from app.onboarding.people import Holder
from app.web.translations import mark

_AT = re.compile(r"(?<![\w@./-])@(?=\w)")
_WORD = re.compile(r"[\w'\u2019-]+")


class _Mention(Invalid):
    """A mention that cannot be; `sentence` says so with `names` in it, and is what catalogues translate."""

    sentence = ""

    def __init__(self, names: str) -> None:
        message = self.sentence % {"names": names}
        super().__init__(message, errors=[("/text", message)])
        self.names = names


class MentionUnclear(_Mention):
    """The name is that of several people here."""

    sentence = mark("This name is that of several people here (%(names)s). Write the whole name.")


class MentionUnseen(_Mention):
    """Somebody is mentioned who would not see the comment."""

    sentence = mark(
        "%(names)s would not see an internal comment. Show it to both sides, or write it without this mention."
    )


def find_mentions(text: str, people: Iterable[Holder], *, internal: bool) -> list[Holder]:
    """Everybody who is mentioned, each once, in the order of the text. Raises MentionUnclear, MentionUnseen."""
    known, found = list(people), dict[object, Holder]()
    for at in _AT.finditer(text):
        if (meant := _meant(text[at.end() :], known)) is not None:
            found[meant.id] = meant
    unseen = [person.name for person in found.values() if internal and person.side != "partner"]
    if unseen:
        raise MentionUnseen(", ".join(unseen))
    return list(found.values())


def _meant(rest: str, people: Sequence[Holder]) -> Holder | None:
    whole = [person for person in people if _begins(rest, person.name)]
    if whole:
        longest = max(len(person.name) for person in whole)
        return _only([person for person in whole if len(person.name) == longest])
    word = _WORD.match(rest)
    first = word[0].casefold() if word else ""
    return _only([person for person in people if person.name.split(" ")[0].casefold() == first])


def _begins(rest: str, name: str) -> bool:
    if not name or not rest.casefold().startswith(name.casefold()):
        return False
    return not rest[len(name) : len(name) + 1].isalnum()


def _only(found: list[Holder]) -> Holder | None:
    if len(found) > 1:
        raise MentionUnclear(", ".join(person.name for person in found))
    return found[0] if found else None
