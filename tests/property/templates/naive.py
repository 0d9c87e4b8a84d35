"""The merge that anybody would write first: documents as leaves, three values a leaf. Not a test."""

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
    found |= {words for words in made.moved if at(new, words) is None or not keyed(at(new, words[:-1]))}
    in_them, in_us = above(by_them), above(by_us)
    for words in {words for each in (old, new, ours) for words, _ in walk(each)}:
        values = at(old, words), at(new, words), at(ours, words)
        mine_too = words in in_us or _is_said_again(words, made, before, old)
        if _is_whole_conflict(*values, by_them=words in in_them, by_us=mine_too, said=words in made.said):
            found.add(words)
    return found


def _is_whole_conflict(was: Any, now: Any, own: Any, *, by_them: bool, by_us: bool, said: bool) -> bool:
    """Of a place with three values: whether both did something that cannot both be, to it or inside of it."""
    if said and own is None:
        return now is None or by_them
    if was is None or own is None:  # put in by both
        return said and None not in (now, own) and not _same(now, own)
    if now is None:
        return (said and not _same(was, own)) or (by_us and not isinstance(was, list))
    made_something_else = (_kind(was) != _kind(now) and by_us) or (_kind(was) != _kind(own) and by_them)
    return bool(below(was)) and not _same(now, own) and made_something_else


def merged(old: Any, new: Any, ours: Any, made: Partner) -> Leaves:
    """What comes out where there is no conflict: the partner's value where the partner said one, else upstream's."""
    before, theirs, mine = leaves(old), leaves(new), leaves(ours)
    spoken: set[Words] = set()
    for one, value in made.said.items():
        merges = isinstance(value, dict) and isinstance(at(old, one), dict)
        spoken |= {(*one, name) for name in value} if merges else {one}
    result = {}
    for words in before.keys() | theirs.keys() | mine.keys():
        said = any(words[: len(one)] == one for one in spoken)
        value = mine.get(words) if said or before.get(words) != mine.get(words) else theirs.get(words)
        overruled = any(_below(one, words) and one != words and at(ours, one) is not None for one in spoken)
        if value is not None and not overruled and not is_emptied(value, words, old):
            result[words] = value
    return result


def _is_said_again(words: Words, made: Partner, before: Leaves, old: Any) -> bool:
    """Whether some of what is in there is said as it was; all of it together needs nothing to stand in."""
    said = {one for one in made.said if _below(one[:-1], words)}
    return bool(said) and ({leaf for leaf in before if _below(leaf, words)} != said or keyed(at(old, words[:-1])))


def is_emptied(value: str, words: Words, old: Any) -> bool:
    """Whether a leaf is only what is left of a list or mapping when both sides took something out of it."""
    return value in {"[]", "{}"} and bool(below(at(old, words)))


def _kind(value: Any) -> str:
    return "elements" if keyed(value) or value == [] else "parts" if isinstance(value, dict) else "value"


def above(changed: set[Words]) -> set[Words]:
    """Every path that something changed at or in."""
    return {words[:length] for words in changed for length in range(1, len(words) + 1)}


def _below(words: Words, above: Words) -> bool:
    return words[: len(above)] == above


def _same(one: Any, other: Any) -> bool:
    return leaves({"value": one}) == leaves({"value": other})
