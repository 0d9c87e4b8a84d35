"""Many onboardings go on with another version: who runs what, a dry run under way, waiting, done, taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec

from app.flow.events import MigrationMap
from app.onboarding.upgrades.doors.showing import Reader, line_page, upgrade_line, upgrade_page
from app.onboarding.upgrades.queries import Runs, TemplateLine
from app.onboarding.upgrades.rules import Line, Part, Upgrade, Who
from app.templates.queries import PublishedVersion
from tests.look.examples.facts import KEY, PARTNER, Context, days
from tests.look.examples.library.lines import DEPRECATED

DANA, LENA = UUID(int=1), UUID(int=2)
TITLE = "Managed services with your provider"
_NAMES = ("Acme", "Globex", "Initech", "Umbrella", "Hooli", "Stark Industries", "Wayne Enterprises", "Soylent")
_FATES = (
    ("added", None, "task.pilot", {"en": "Pilot with ten mailboxes", "de": "Probelauf mit zehn Postfächern"}),
    ("kept", "task.kickoff", "task.first_meeting", {"en": "First meeting", "de": "Erstes Treffen"}),
    ("dropped", "task.announce", None, {"en": "Announce the go-live", "de": "Start ankündigen"}),
)
_MOVES = (("task.pilot", None, days(9)), ("task.kickoff", days(3), days(4)))


def _reader(who: UUID = LENA) -> Reader:
    return Reader(who, str, "en", may_write=True)


def _line(number: int, **more: Any) -> Line:
    counts = {"kept": 31, "added": 1, "dropped": 1}
    seen: dict[str, Any] = {"seen": "goes", "plan": "sha256:77", "counts": counts, "fates": _FATES, "moves": _MOVES}
    name = _NAMES[number % len(_NAMES)]
    return Line(onboarding=UUID(int=number + 10), name=name, before="sha256:11", version="1.2.0", **(seen | more))


def _parts(lines: list[Line]) -> list[Part]:
    return [Part(tenant=UUID(int=90 + n), name=f"{line.name} Ltd", lines=(line,)) for n, line in enumerate(lines)]


_NOT = {"plan": "", "counts": {}, "fates": (), "moves": ()}
_LOOKED = [
    *(_line(number) for number in range(5)),
    _line(5, seen="problems", kinds=("unplaced", "in_flight")),
    _line(6, seen="held", **_NOT),
    _line(7, seen="no_right", **_NOT),
]
_NEW = [_line(number, seen=None, **_NOT) for number in range(6)]
_HALF = [_line(0, applied="done"), _line(1, applied="done"), _line(2, applied="moved"), *_LOOKED[3:]]
_BACK = [_line(0, applied="done", back="done"), _line(1, applied="done"), _line(2, applied="done", back="failed")]
UPGRADE = Upgrade(
    id=UUID(int=7),
    number=3,
    state="looked",
    template="msp-managed-services",
    title=TITLE,
    from_versions=("1.1.0", "1.2.0"),
    to="sha256:2f",
    overlay=None,
    definition="sha256:2f1c9d",
    version="1.3.0",
    map=MigrationMap(),
    asked=Who(DANA, "Dana Weber", days(-1), "The kickoff is shorter now."),
    preview="sha256:90bc12",
    parts=8,
)
_AGREED = Who(LENA, "Lena Schmidt", days(0))
_UNDONE = Who(DANA, "Dana Weber", days(0), "It confuses people.")


def _one(lines: list[Line], *, who: UUID = LENA, **more: Any) -> Context:
    upgrade = msgspec.structs.replace(UPGRADE, **more)
    shown = upgrade_page(upgrade, _parts(lines), _reader(who))
    shown |= {"chrome": replace(PARTNER, path="/upgrades"), "command_key": KEY, "errors": [], "given": {}}
    return shown | {"follows": False}


_WAITS = _one(_LOOKED)
_OWN = _one(_LOOKED, who=DANA)
_LOOKING = _one([*_LOOKED[:3], *_NEW[3:]], state="looking") | {"follows": True}
_APPLYING = _one(_HALF, state="applying", agreed=_AGREED)
_STOPPED = _one(_HALF, state="applying", stopped=True, agreed=_AGREED)
_TAKEN = _one(_BACK, state="applied", agreed=_AGREED, undone=_UNDONE)
_DECLINED = _one(_LOOKED, state="declined", ended=_UNDONE) | {"errors": [("reason", "Write down why.")]}
_ALL = (_WAITS, _OWN, _LOOKING, _APPLYING, _STOPPED, _TAKEN, _DECLINED)

_RUNS = [
    Runs(UUID(int=n), f"{name} Ltd", UUID(int=n + 50), name, "held" if n == 2 else "running", version, "sha256:1")
    for n, (name, version) in enumerate(zip(_NAMES, ["1.1.0"] * 1 + ["1.2.0"] * 5 + ["1.3.0"] * 2, strict=True))
]
_PUBLISHED = [
    PublishedVersion(f"sha256:{number}", number, TITLE, days(-age)) for number, age in [("1.3.0", 2), ("1.2.0", 90)]
]
_FORM: Context = {
    "chrome": replace(PARTNER, path="/upgrades"),
    "command_key": KEY,
    "given": {},
    "errors": [],
}
_LIST = [upgrade_line(msgspec.structs.replace(UPGRADE, state=state), _reader()) for state in ("looked", "applied")]
_RUNNING = line_page(TemplateLine("msp-managed-services", TITLE, _PUBLISHED, _RUNS, []), [UPGRADE], _reader()) | _FORM
_SENT_BACK = _RUNNING | {
    "errors": [("reason", "Write down why.")],
    "given": {"to": "sha256:1.3.0", "from": "1.2.0", "map": '{"dropped": ["task.announce"]}', "reason": ""},
}
_EMPTY = _RUNNING | {"versions": _RUNNING["versions"][:1], "upgrades": [], "total": 2, "from_options": []}
_LINES = [{"id": "msp-managed-services", "title": TITLE, "count": 8, "versions": 3}]
_EFFECTS = [
    {"one": one, "upgrade": _TAKEN["upgrade"]} | _FORM
    for one in [*_TAKEN["lines"], _WAITS["lines"][5], _TAKEN["lines"][0] | {"counts": {"set_back": 2, "restored": 1}}]
]
EXAMPLES: dict[str, list[Context]] = {
    "onboarding/upgrades/list.html": [
        _FORM | {"lines": _LINES, "upgrades": _LIST},
        _FORM | {"lines": [], "upgrades": []},
    ],
    "onboarding/upgrades/_upgrades.html": [{"upgrades": _LIST}, {"upgrades": []}],
    "onboarding/upgrades/line.html": [
        _RUNNING,
        _RUNNING | {"ended": [{"end": replace(DEPRECATED, number="1.2.0"), "count": 6}]},
        _SENT_BACK,
        _EMPTY,
    ],
    "onboarding/upgrades/_ask.html": [_RUNNING, _SENT_BACK],
    "onboarding/upgrades/one.html": list(_ALL),
    "onboarding/upgrades/_live.html": list(_ALL),
    "onboarding/upgrades/_decide.html": list(_ALL),
    "onboarding/upgrades/_lines.html": [_WAITS, _TAKEN, _WAITS | {"lines": [], "word": "held"}],
    "onboarding/upgrades/_effects.html": _EFFECTS,
}
