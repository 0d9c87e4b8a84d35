"""The studio: drafts of the small template that works, with and without problems; walks, and what changed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

from app.flow.simulate import look
from app.templates.authoring.checking import check_text
from app.templates.library import open_shelf
from app.templates.lines.chains import Chain, ChainBroken
from app.templates.queries import PublishedVersion
from app.templates.studio.comparing import compared, raw_lines
from app.templates.studio.pages.entering import source_of
from app.templates.studio.pages.shown import Sheet, studio_of
from app.templates.studio.queries import Draft
from app.templates.studio.simulated import Found, report_of
from app.templates.studio.starting import skeleton
from tests.look.examples.facts import KEY, PARTNER, Context, days

ID = UUID("0197a1b2-0000-7000-8000-000000000001")
_TASK = "stages.preparation.milestones.known.tasks.describe"


_DRAFT = Draft(ID, 4, days(-1), "Our onboarding", "our-onboarding", "1.1.0", "template", 0, "Dana", "1.0.0")


def _draft(**more: Any) -> Draft:
    return replace(_DRAFT, **more)


DRAFTS = [_draft(), _draft(title="", template="", number="", problems=3, by="Ada", published="", kind="overlay")]


def _nothing_beneath(result: str) -> Chain:
    raise ChainBroken(result)


def _say(text: dict[str, str]) -> str:
    return text.get("en") or next(iter(text.values()), "")


def _studio(text: str, at: str = "", **more: Any) -> Context:
    typed, errors = more.pop("typed", {}), more.pop("errors", {})
    sheet = Sheet(text, source_of(text), check_text(text, _nothing_beneath), at, typed, errors)
    plain: dict[str, Any] = {
        "chrome": replace(PARTNER, path=f"/templates/drafts/{ID}"),
        "draft": _draft(),
        "version": 4,
        "at": at,
    }
    plain |= {"unsaved": False, "refused": "", "newer": None, "may_publish": True, "command_key": KEY, "tab": "write"}
    shown = studio_of(sheet, _say)
    # The language's own first key is a word of the platform's, and an author types it: here it would hide a leak.
    return shown | {"source": shown["source"].replace("slipway", "language")} | plain | more


def _wrong() -> str:
    return (
        skeleton()
        .replace("owner: engineer\n    exit", "owner: enginer\n    exit")
        .replace("due: {business_days: 3}", "due: {days: 3}")
    )


@cache
def _report(*, dead: bool) -> dict[str, Any]:
    definition = check_text(skeleton(), _nothing_beneath).effective
    assert definition is not None
    compiled = definition.compile()
    walked = [look(compiled, seed) for seed in range(1, 31)]
    report = report_of(compiled, Found(walked, 30))
    if not dead:
        return report
    history = [{"day": 1, "words": "The onboarding starts", "key": "", "title": {}}]
    history += [{"day": 3, "words": "Gate decided", "key": "gate.handoff", "title": {"en": "Do we know enough?"}}]
    stuck = [{"key": "task.describe", "title": {"en": "Tell us how you work today"}}]
    end = {"by": "everybody late", "steps": 62, "left_out": 2, "stuck": stuck, "history": history}
    return report | {"dead": [end], "dead_ends": 1, "never": stuck, "histories": 20}


def _nothing_walked() -> dict[str, Any]:
    definition = check_text(skeleton(), _nothing_beneath).effective
    assert definition is not None
    return report_of(definition.compile(), Found([], 217))


def _walk(state: str, **more: Any) -> Context:
    body = {"state": state, "walked": 84, "of": 217, "draft": 4, "report": None} | more
    return {"draft": _draft(), "simulation": body, "command_key": KEY, "tab": "simulation"}


def _different(*, draft: bool = True, **more: Any) -> Context:
    effective = open_shelf("msp/managed-services").effective("northwind")
    old, new = effective.template.document, effective.document
    versions = [
        PublishedVersion(f"sha256:{digit * 64}", f"1.{digit}.0", "Managed services", days(-9)) for digit in "10"
    ]
    plain: Context = {
        "draft": _draft() if draft else None,
        "title": "Managed services",
        "path": f"/templates/drafts/{ID}",
    }
    plain |= {"number": "1.2.0", "versions": versions, "old": "1" * 64, "old_number": "1.1.0", "readable": True}
    found = {"found": compared(old, new, _say), "lines": raw_lines(old, new), "most_lines": 2_000, "tab": "differences"}
    return plain | found | {"chrome": replace(PARTNER, path=f"/templates/drafts/{ID}/differences")} | more


_NEWER = {"by": "Ada", "version": "5"}
_PLAIN = _studio(skeleton(), _TASK)
_OVERLAY = "overlay: mine\nversion: 1.0.0\nslipway: '1'\npartner: mine\npatch: {}\n"
_CHANGED = "Somebody else has saved this draft meanwhile. Nothing is lost: your text is below as you left it."
_BEGIN: Context = {
    "chrome": replace(PARTNER, path="/templates/drafts/new"),
    "refused": "",
    "source": "",
    "keys": [KEY] * 3,
}
EXAMPLES: dict[str, list[Context]] = {
    "templates/studio/studio.html": [
        _PLAIN,
        _studio(_wrong(), "stages.delivery", unsaved=True),
        _studio("id: [", refused=_CHANGED, newer=_NEWER, unsaved=True),
        _studio(_OVERLAY),
        _studio(skeleton(), _TASK, typed={"of.due": "soon"}, errors={"of.due": "Write a whole number."}),
    ],
    "templates/studio/begin.html": [_BEGIN, _BEGIN | {"refused": "A template has at most 250 kB. Nothing was saved."}],
    "templates/studio/simulation.html": [
        _walk("done", report=_report(dead=False)),
        _walk("done", report=_report(dead=True), draft=3),
        _walk("done", report=_nothing_walked()),
        _walk("refused"),
        _walk("waiting") | {"simulation": None},
    ],
    "templates/studio/differences.html": [
        _different(),
        _different(draft=False, found={"counts": {}, "groups": []}),
        _different(versions=[], found=None),
        _different(readable=False, found=None),
    ],
    "templates/studio/_studio.html": [_PLAIN],
    "templates/studio/_structure.html": [_PLAIN],
    "templates/studio/_element.html": [_PLAIN],
    "templates/studio/_findings.html": [_PLAIN],
    "templates/studio/_checked.html": [_studio(_wrong()), _studio(_wrong(), more_problems=1_800)],
    "templates/studio/_head.html": [_PLAIN],
    "templates/studio/_titled.html": [_PLAIN],
    "templates/studio/_saved.html": [_PLAIN],
    "templates/studio/findings/_simulation.html": [_walk("walking"), _walk("failed")],
    "templates/studio/findings/_report.html": [{"report": _report(dead=True)}],
    "templates/studio/findings/_changed.html": [{"changes": _different()["found"]["groups"][2]["changes"]}],
}
