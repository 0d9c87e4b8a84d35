"""What people see of upgrades: who runs which version, the dry run in words and as a picture, what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.onboarding.migration.showing import FATES, TROUBLE
from app.onboarding.upgrades.queries import TemplateLine
from app.onboarding.upgrades.rules import HOME, Line, Part, Upgrade
from app.web.translations import mark

SHOWN = 100  # onboardings of one page
_TOP = 12  # of the changes that most onboardings meet
# What an onboarding meets: in words, how good it is, and its picture.
WORDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "goes": (mark("Goes"), "good", "circle-check"),
    "done": (mark("Done"), "good", "circle-check"),
    "back": (mark("Taken back"), "idle", "history"),
    "runs_it": (mark("Runs it already"), "idle", "point"),
    "held": (mark("On hold"), "warn", "hand-stop"),
    "ended": (mark("Is over"), "idle", "flag"),
    "waits": (mark("A change of its own waits for a decision"), "warn", "clock"),
    "problems": (mark("To be settled first"), "bad", "alert-triangle"),
    "moved": (mark("Has moved, look again"), "warn", "history"),
    "no_right": (mark("No right in this workspace"), "bad", "lock"),
    "resting": (mark("The workspace rests"), "idle", "clock-pause"),
    "failed": (mark("Could not be done"), "bad", "alert-triangle"),
    "": (mark("Not looked at yet"), "idle", "circle-dashed"),
}
_STATES: Final = {
    "looking": mark("The dry run is under way"),
    "looked": mark("Waits for a second person"),
    "applying": mark("Is being done"),
    "applied": mark("Done"),
    "taking_back": mark("Is being taken back"),
    "taken_back": mark("Taken back"),
    "declined": mark("Declined"),
}
_FATES: Final[Mapping[str, str]] = {**dict(FATES), "kept": mark("Goes on under another name")}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks, in which language, and whether they may decide."""

    id: UUID
    say: Callable[[str], str]
    language: str
    may_write: bool

    def read(self, text: Mapping[str, str]) -> str:
        """A template's text in the reader's language."""
        return text.get(self.language) or text.get("en") or next(iter(text.values()), "")


def line_page(found: TemplateLine, upgrades: list[Upgrade], reader: Reader) -> dict[str, Any]:
    """A template's versions, who runs each, and what an upgrade can be made of."""
    numbers = Counter(one.version for one in found.running)
    published = {each.version: each for each in found.published}
    most = max(numbers.values(), default=1)
    order = [*published, *sorted(numbers.keys() - published.keys(), reverse=True)]
    return {
        "template": {"id": found.template_id, "title": found.title},
        "total": len(found.running),
        "versions": [
            {
                "version": version,
                "published_at": published[version].published_at if version in published else None,
                "count": numbers[version],
                "share": numbers[version] / most,
                "held": sum(one.state == "held" for one in found.running if one.version == version),
                "runs": [
                    {"name": one.name, "tenant": one.tenant, "state": one.state, "path": _path(one)}
                    for one in found.running
                    if one.version == version
                ][:SHOWN],
            }
            for version in order
        ],
        "ended": [{"end": end, "count": numbers[end.number]} for end in found.ends if numbers[end.number]],
        "targets": [{"id": each.digest, "label": f"{each.title} {each.version}"} for each in found.published],
        "from_options": [{"id": version, "label": version} for version in order if numbers[version]],
        "upgrades": [upgrade_line(each, reader) for each in upgrades],
        "may_write": reader.may_write,
    }


def upgrade_line(upgrade: Upgrade, reader: Reader) -> dict[str, Any]:
    """An upgrade in a list."""
    state = mark("Stopped") if upgrade.stopped else _STATES[upgrade.state]
    return {
        "path": f"/upgrades/{upgrade.id}",
        "title": upgrade.title,
        "version": upgrade.version,
        "asked": upgrade.asked,
        "state": reader.say(state),
        "waits": upgrade.state == "looked",
    }


def upgrade_page(
    upgrade: Upgrade, parts: list[Part], reader: Reader, *, word: str = "", after: int = 0
) -> dict[str, Any]:
    """An upgrade with its onboardings: counted, drawn, and one by one; `word` shows only what met that."""
    lines = [(part, line) for part in parts for line in part.lines]
    counted: Counter[str] = Counter(_met(line) for _part, line in lines)
    chosen = [(part, line) for part, line in lines if not word or _met(line) == word]
    met = sum(not upgrade.needs(line) for _part, line in lines)
    behind = after + SHOWN
    return {
        "upgrade": upgrade_line(upgrade, reader) | _facts(upgrade, reader),
        "total": len(lines),
        "met": met,
        "share": met / max(len(lines), 1),
        "words": [_counted(key, counted[key], len(lines), reader) for key in WORDS if counted[key]],
        "changes": _changes([line for _part, line in lines], reader),
        "dates": sum(bool(line.moves) for _part, line in lines),
        "word": word,
        "lines": [_line(part, line, upgrade, reader) for part, line in chosen[after:behind]],
        "older": str(behind) if len(chosen) > behind else "",
        "first": after > 0,
    }


def _facts(upgrade: Upgrade, reader: Reader) -> dict[str, Any]:
    own, looked = upgrade.asked.id == reader.id, upgrade.state == "looked"
    backs = upgrade.state in {"applied", "taken_back"} or (upgrade.state == "applying" and upgrade.stopped)
    return {
        "template": upgrade.template,
        "from_versions": ", ".join(upgrade.from_versions),
        "preview": upgrade.preview,
        "agreed": upgrade.agreed,
        "undone": upgrade.undone,
        "ended": upgrade.ended,
        "own": own,
        "under_way": upgrade.is_under_way,
        "may_stop": reader.may_write and upgrade.is_under_way,
        "may_resume": reader.may_write and upgrade.stopped,
        "may_decide": reader.may_write and looked,
        "may_take_back": reader.may_write and backs,
        "number": upgrade.number,
    }


def _counted(key: str, count: int, total: int, reader: Reader) -> dict[str, Any]:
    name, tone, picture = WORDS[key]
    return {"key": key, "name": reader.say(name), "tone": tone, "icon": picture, "count": count, "share": count / total}


def _changes(lines: list[Line], reader: Reader) -> list[dict[str, Any]]:
    """What becomes of which step in how many onboardings, the most first."""
    found: Counter[tuple[str, str]] = Counter()
    for line in lines:
        found.update({(fate, reader.read(title)) for fate, _was, _becomes, title in line.fates})
    most = max(found.values(), default=1)
    return [
        {"fate": reader.say(_FATES[fate]), "title": title, "count": count, "share": count / most}
        for (fate, title), count in sorted(found.items(), key=lambda one: (-one[1], one[0]))[:_TOP]
    ]


def _line(part: Part, line: Line, upgrade: Upgrade, reader: Reader) -> dict[str, Any]:
    word = _met(line)
    path = f"/t/{part.tenant}/onboardings/{line.onboarding}"
    name, tone, picture = WORDS[word]
    return {
        "id": line.onboarding,
        "name": line.name,
        "tenant": part.name,
        "path": path,
        "settle": f"{path}/migration?to={upgrade.to}" if word in {"problems", "moved"} else "",
        "version": line.version,
        "word": reader.say(name),
        "tone": tone,
        "icon": picture,
        "counts": line.counts,
        "moves": len(line.moves),
        "whys": _whys(line, word, reader),
        "may_take_back": line.applied == "done" and line.back not in HOME,
    }


def _met(line: Line) -> str:
    """The word that stands for what it met last."""
    return "back" if line.back in HOME else line.last() or ""


def _whys(line: Line, word: str, reader: Reader) -> list[str]:
    """Why it stays, where the word alone does not say it."""
    if line.seen == "problems":
        return [reader.say(TROUBLE[kind]) for kind in line.kinds]
    return [reader.say(line.told)] if line.told and word in {"failed", "problems"} else []


def _path(one: Any) -> str:
    return f"/t/{one.tenant_id}/onboardings/{one.onboarding_id}"
