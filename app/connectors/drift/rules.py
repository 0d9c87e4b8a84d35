"""Whether two systems say the same of a record, what may be shown of it, and which writes are about it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any, Final, Literal

MOST_FIELDS: Final = 200  # of one record are compared; a larger one is no record of fields
LONGEST_SHOWN: Final = 200  # letters of a value
HIDDEN: Final = "•••"
RECORD: Final = "record"  # the field of a difference that is the record itself: it is gone
GONE: Final = "gone"
THERE: Final = "there"
_DIGITS: Final = 40  # of a number, at most; longer ones are texts
_WHOLE_KEY: Final = 8  # letters from which a value names a record wherever it stands

_SECRET: Final = re.compile(r"secret|passw|token|credential|private|api_?key|pin$", re.IGNORECASE)
_PERSONAL: Final = re.compile(
    r"mail|phone|mobile|fax|contact|first_?name|last_?name|surname|address|street|birth|person|stakeholder|owner",
    re.IGNORECASE,
)

State = Literal["open", "accepted", "corrected"]
Answer = Literal["theirs", "ours", "give_up"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that two systems do not agree on. `seen` is the digest of what they said, to know it again.

    `ours` and `theirs` are what may be shown. `answer`, `by`, `at` and `reason` are how somebody settled it.
    """

    field: str
    ours: str
    theirs: str
    seen: str
    since: str
    state: State = "open"
    answer: str = ""
    by: str = ""
    at: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What somebody decided a field to be from now on, in place of what we had."""

    digest: str
    shown: str


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record's fields by name, of objects in it as `a.b`; an envelope (`{"record": {…}}`) is no part of it."""
    inside = [name for name, value in record.items() if isinstance(value, Mapping)]
    wraps = len(inside) == 1 and all(_is_id(name) for name in record if name != inside[0])
    envelope = f"{inside[0]}." if wraps else ""
    return {name.removeprefix(envelope): value for name, value in _leaves(record)}


def _leaves(part: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in part.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{at}{name}.")
        else:
            yield f"{at}{name}", value


def find_differences(
    ours: Mapping[str, Any], theirs: Mapping[str, Any] | None, *, salt: str, agreed: Mapping[str, Agreed], now: datetime
) -> list[Difference]:
    """Every field that both have and that differs; secrets are not looked at, what is personal is not shown.

    `theirs` None: they have no such record any more. A field that somebody decided (`agreed`) is held against that.
    """
    since = now.isoformat()
    if theirs is None:
        return [Difference(RECORD, THERE, GONE, _digest(salt, GONE), since)]
    shared = sorted(name for name in ours.keys() & theirs.keys() if not _SECRET.search(name))[:MOST_FIELDS]
    found = []
    for name in shared:
        seen, decided = _digest(salt, plain_of(theirs[name])), agreed.get(name)
        if seen == decided.digest if decided else plain_of(ours[name]) == plain_of(theirs[name]):
            continue
        said = decided.shown if decided else shown(name, ours[name], beside=ours)
        found.append(Difference(name, said, shown(name, theirs[name], beside=theirs), seen, since))
    return found


def plain_of(value: object) -> str:
    """A value as text that is the same for what means the same: 40, "40" and "40.0"; blank and nothing."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | str):
        said = str(value).strip()
        return _number(said) or said
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _number(text: str) -> str:
    if len(text) > _DIGITS or text[:1] == "+" or (text[:1] == "0" and text[1:2].isdigit()):
        return ""  # a phone number and a postal code are texts
    try:
        number = Decimal(text)
    except InvalidOperation:
        return ""
    return f"{number.normalize():f}" if number.is_finite() and abs(number.adjusted()) < _DIGITS else ""


def shown(name: str, value: object, *, beside: Mapping[str, Any]) -> str:
    """What may be read of a value: its start; of what is a person's, that there is one."""
    said = plain_of(value)
    person = name.rpartition(".")[2] == "name" and any("mail" in each.lower() for each in beside)
    if said and (person or _PERSONAL.search(name) or _has_address(said)):
        return HIDDEN
    return said if len(said) <= LONGEST_SHOWN else f"{said[:LONGEST_SHOWN]}…"


def _has_address(text: str) -> bool:
    """Whether a mail address is in it; word by word, since a text may be as long as an answer."""
    return any("." in word.partition("@")[2] for word in text.split())


def merge(known: Sequence[Difference], found: Sequence[Difference], *, at: str) -> list[Difference]:
    """What is kept after another look: an open one keeps its age, an accepted one stays while they say the same.

    One that is not there any more has been corrected, on whichever side.
    """
    fresh = {each.field: each for each in found}
    kept = [_followed(each, fresh.pop(each.field, None), at) for each in known]
    return sorted([*kept, *fresh.values()], key=lambda each: each.field)


def _followed(known: Difference, found: Difference | None, at: str) -> Difference:
    if found is None:
        return known if known.state == "corrected" else replace(known, state="corrected", at=at)
    if known.state == "open":
        return replace(found, since=known.since)
    return known if known.state == "accepted" and known.seen == found.seen else found


def is_open(differences: Sequence[Difference]) -> bool:
    """Whether somebody has to decide something."""
    return any(each.state == "open" for each in differences)


def names_of(*parts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What names a record: the fields that it is looked up by, and every id in what the other system said."""
    by, *said = parts
    keys = [(name.rpartition(".")[2], plain_of(value)) for name, value in flat(by).items()]
    ids = [(name, plain_of(value)) for part in said for name, value in _leaves(part) if _is_id(name)]
    return list(dict.fromkeys((name, value) for name, value in [*keys, *ids] if value))


def is_about(names: Sequence[tuple[str, str]], given: Mapping[str, Any]) -> bool:
    """Whether an action that is given this is about the record of these names.

    A long value names it wherever it stands; a short one ("7") only as an id or under the same name.
    """
    for name, value in _leaves(given):
        short, text = name.rpartition(".")[2], plain_of(value)
        for known, wanted in names:
            if text == wanted and (len(text) >= _WHOLE_KEY or short == known or _is_id(short)):
                return True
    return False


def carries(given: Mapping[str, Any], fields: Sequence[str]) -> bool:
    """Whether an action is given one of these fields: it was asked for with a value that holds no more."""
    wanted = {field.rpartition(".")[2] for field in fields}
    return RECORD in wanted or any(name.rpartition(".")[2] in wanted for name, _value in _leaves(given))


def _is_id(name: str) -> bool:
    last = name.rpartition(".")[2].lower()
    return last == "id" or last.endswith("_id")


def _digest(salt: str, text: str) -> str:
    return sha256(f"{salt}:{text}".encode()).hexdigest()[:32]
