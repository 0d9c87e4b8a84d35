"""What a file may be called and how many a place takes. Pure (DESIGN 6: size and type rules at the door)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from app.flow.fields import Field
from app.flow.file_kinds import endings_of, kind_of_name
from app.kernel.errors import Conflict, Invalid
from app.web.translations import mark

LONGEST_NAME: Final = 150  # characters
MIB: Final = 1 << 20
_SEPARATORS: Final = str.maketrans({"\\": "/"})
_WORDS: Final = {
    "name": mark("The name of this file cannot be kept. Give it a short, plain name and choose it again."),
    "kind": mark("This kind of file is not taken here. Taken are: {endings}."),
    "empty": mark("This file is empty."),
    "large": mark("This file is larger than {most} MB, the most that is taken here."),
    "bytes": mark("What is in this file does not fit its name: it is no {ending} file. Save it anew, then choose it."),
    "mixed": mark("This file is two kinds of file in one. Save it anew and choose it again."),
    "macros": mark("This file holds macros, which are not taken here. Save it without them and choose it again."),
    "full": mark("Here are as many files as are taken: {most}. Remove one first."),
    "none": mark("Choose a file first."),
}  # fmt: skip


class FileRefused(Invalid):
    """A file does not fit what is asked for; `word` says why, and `values` what stands in its sentence."""

    def __init__(self, word: str, **values: object) -> None:
        self.word, self.values = word, values
        super().__init__(_WORDS[word].format(**values), errors=[("/file", _WORDS[word].format(**values))])

    @property
    def pattern(self) -> str:
        """The sentence before its values are in it: what translations know."""
        return _WORDS[self.word]


class FileTooLarge(FileRefused):
    """A file is larger than its place, or this installation, takes."""

    status = 413


class PlaceFull(Conflict):
    """There are as many files in this place as it takes."""

    pattern = _WORDS["full"]

    def __init__(self, most: int) -> None:
        self.values = {"most": most}
        super().__init__(self.pattern.format(most=most))


def clean_name(sent: str) -> str:
    """The name to keep of what was sent: its last part, one spelling, without anything that hides what it is.

    Raises FileRefused for one that says nothing, is too long, or turns its letters around.
    """
    last = unicodedata.normalize("NFC", sent).translate(_SEPARATORS).rpartition("/")[2]
    name = " ".join(last.split())
    hidden = any(unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Co", "Cn"} for letter in last)
    if hidden or not name.strip(". ") or len(name) > LONGEST_NAME:
        raise FileRefused("name")
    return name


def kind_for(slot: Field, name: str) -> str:
    """Which of the accepted kinds a name claims. Raises FileRefused."""
    kind = kind_of_name(name, slot.accept)
    if kind is None:
        raise FileRefused("kind", endings=", ".join(endings_of(slot.accept)))
    return kind


def most_bytes(slot: Field, largest: int) -> int:
    """How large one file may be: as the template says, and never above what the installation takes."""
    return min(slot.max_mb * MIB, largest)


def check_room(slot: Field, held: int, more: Sequence[object]) -> None:
    """Raises PlaceFull where a place would hold more than it takes."""
    most = slot.maximum or 1
    if held + len(more) > most:
        raise PlaceFull(most)
