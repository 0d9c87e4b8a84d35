"""The merge that anybody would write first: documents as leaves, three values a leaf. Finds conflicts, merges. Not a test."""

from __future__ import annotations

from typing import Any

from tests.property.templates.generated import Partner, Words, at, below, keyed, walk

Leaves = dict[Words, Any]


def leaves(document: Any) -> Leaves:
    """What has no named parts, by path, as text: true is not 1, and of an empty element its id is known."""
    found = ((words, value) for words, value in walk(document) if not below(value))
    return {words: "{}" if isinstance(value, dict) else repr(value) for words, value in found}


def conflicts(old: Any, new: Any, ours: Any, made: Partner) -> set[Words]:
    """Where both sides did something and only one of it can be."""
    before, theirs, mine = leaves(old), leaves(new), leaves(ours)
    everywhere = before.keys() | theirs.keys() | mine.keys()
    by_them = {words for words in everywhere if before.get(words) != theirs.get(words)}
    by_us = {words for words in everywhere if before.get(words) != mine.get(words)}
    found = {words for words in by_them & by_us if theirs.get(words) != mine.get(words)}
    found |= {words for words in made.moved if at(new, words) is None}
    for words in {words for each in (old, new, ours) for words, _ in walk(each)}:
        was, now, own = (at(each, words) for each in (old, new, ours))
        if words in made.said and own is None and now is None:
            found.add(words)  # nothing to take out
        elif words in made.said and now is None and None not in (was, own) and not _same(was, own):
            found.add(words)  # nothing to change
        elif was is None and now is not None and own is not None and words in made.said and not _same(now, own):
            found.add(words)  # put in by both
        elif not (was is None or own is None or isinstance(was, list)) and now is None and _inside(words, by_us, made):
            found.add(words)
        elif was is not None and own is None and words in made.said and _inside(words, by_them):
            found.add(words)
        elif None not in (was, now, own) and below(was) and not _same(now, own):
            if (_kind(was) != _kind(now) and _inside(words, by_us, made)) or (
                _kind(was) != _kind(own) and _inside(words, by_them)
            ):
                found.add(words)  # one made it something else as a whole, the other changed something in it
    return found


def merged(old: Any, new: Any, ours: Any, made: Partner) -> Leaves:
    """What comes out where there is no conflict: the partner's value where the partner said one, else upstream's."""
    before, theirs, mine = leaves(old), leaves(new), leaves(ours)
    spoken = set()
    for one, value in made.said.items():
        merges = isinstance(value, dict) and isinstance(at(old, one), dict)
        spoken |= {(*one, name) for name in value} if merges else {one}
    result = {}
    for words in before.keys() | theirs.keys() | mine.keys():
        said = any(words[: len(one)] == one for one in spoken)
        value = mine.get(words) if said or before.get(words) != mine.get(words) else theirs.get(words)
        if value is not None and not (value == "[]" and keyed(at(old, words))):
            result[words] = value
    return result


def _kind(value: Any) -> str:
    return "elements" if keyed(value) else "parts" if isinstance(value, dict) else "value"


def _inside(words: Words, changed: set[Words], made: Partner | None = None) -> bool:
    """Whether something was changed in there, or said once more as it was."""
    said = made.said if made else ()
    return any(one[: len(words)] == words for one in changed) or any(one[:-1][: len(words)] == words for one in said)


def _same(one: Any, other: Any) -> bool:
    return leaves({"value": one}) == leaves({"value": other})
