"""What the page of an integration on its way live shows: facts first, then what is to be done."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response

from app.access.decisions import can
from app.access.permissions import Permission
from app.connectors.kit.limits.release import STAGES
from app.connectors.pillars.pages.wording import BASIS, DONE, QUESTION, STAGE, TO_DO, WHO
from app.connectors.pillars.rules import STEPS, missing_for
from app.connectors.pillars.staging import STEP_NAMES
from app.connectors.pillars.state import Noted
from app.connectors.pillars.viewing import Integration, get_integration
from app.connectors.pillars.wire import history_of
from app.connectors.settings.forms import LEVEL_WORDS
from app.connectors.settings.wire import wish_out
from app.web.begin import begin_work
from app.web.forms import new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page

PageRequest = Request[Any, Any, Any]
_SHAPES: Final = {"met": "reached", "open": "ahead", "stale": "late", "waits": "current"}


def show(
    request: PageRequest,
    tenant_id: UUID,
    connection_id: UUID,
    *,
    wrong: dict[str, Any] | None = None,
    status: int = 200,
    done: str = "",
) -> Response[str]:
    """The page. `wrong`: the form that was refused, why, and what was typed into it. Raises what reading it raises."""
    with begin_work(request, tenant_id) as work:
        found, now, me = get_integration(work, connection_id), work.now, str(work.actor.id)
        place, may = (
            {"name": work.tenant.name, "path": f"/t/{tenant_id}"},
            can(work.rights, Permission.CONNECTION_WRITE),
        )
    shown = facts_of(found, now) | decisions_of(found, me) | {"may_change": may, "tenant": place}
    shown |= {"path": f"/t/{tenant_id}/connections/{connection_id}", "command_key": new_command_key()}
    shown["wrong"] = {"open": "", "typed": {}, "said": "", "errors": []} | (wrong or {})
    nav = staff_nav(request)
    return page(request, "connectors/integration.html", shown, status=status, nav=nav, notice=DONE.get(done, ""))


def facts_of(found: Integration, now: datetime) -> dict[str, Any]:
    """What is so, whoever looks."""
    manifest, states = found.connector.manifest, found.states
    steps = [
        {"key": step, "name": STEP_NAMES[step], "state": states[step], "shape": _SHAPES[states[step]]}
        | {"who": WHO[step], "todo": TO_DO[step]}
        for step in STEPS
    ]
    return {
        "connection": {"name": found.name, "system": manifest.title, "old": found.old},
        "steps": steps,
        "met": sum(each["state"] == "met" for each in steps),
        "following": next((each for each in steps if each["state"] != "met"), None),
        "stage": found.release.stage,
        "share": found.release.share,
        "chosen": list(found.release.chosen),
        "stages": [{"key": each, "name": STAGE[each]} for each in STAGES],
        "held": states["released"] == "stale",
        "level": LEVEL_WORDS[found.level],
        "flows": _map(found),
        "cares": Counter(each.care for each in found.flows),
        "checks": _checks(found),
        "milestones": [
            {"name": STEP_NAMES[each.step], "due": each.due, "reached": each.reached, "state": each.state}
            for each in found.milestones(now)
        ],
        "history": [{"word": STAGE[each.stage], "entry": each} for each in history_of(found)],
        "health": _health(found),
        "changes": manifest.changes,
        "deprecated": manifest.deprecated,
        "version": manifest.version,
    }


def decisions_of(found: Integration, me: str) -> dict[str, Any]:
    """What people have recorded and may decide; `me` never decides what they have asked for."""
    guide, wish = found.guide, found.wish
    place = STAGES.index(found.release.stage)
    return {
        "guide": {name: _noted(getattr(guide, name)) for name in ("scope", "risk", "consent", "quality")},
        "basis": BASIS.get(guide.consent.get("basis", ""), ""),
        "bases": [{"id": key, "label": word} for key, word in BASIS.items()],
        "questions": [{"id": key, "label": word} for key, word in QUESTION.items()],
        "risk": found.risk if guide.risk else "",
        "own_risk": guide.risk.get("by_id") == me,
        "wish": wish_out(wish),
        "wish_level": LEVEL_WORDS[wish.level] if wish else "",
        "own_wish": wish is not None and wish.by_id == me,
        "onward": [
            {
                "key": each,
                "name": STAGE[each],
                "missing": [STEP_NAMES[step] for step in missing_for(each, found.states)],
            }
            for each in STAGES[max(place, 1) if found.release.stage in {"pilot", "all"} else place + 1 :]
        ],
        "backward": [{"key": each, "name": STAGE[each]} for each in STAGES[:place]],
        "may_roll_back": len(guide.history) > 1,
    }


def _noted(noted: Noted) -> dict[str, Any]:
    return {**noted, "at": datetime.fromisoformat(noted["at"])} if noted else {}


def _map(found: Integration) -> list[dict[str, Any]]:
    """What flows, a line for each field that flows the same way, with the actions that it flows by."""
    rows: dict[tuple[str, str, str, str], list[str]] = {}
    for each in found.flows:
        by = rows.setdefault((each.way, each.field, each.theirs, each.care), [])
        by.append(found.connector.manifest.actions[each.action].summary)
    order = {"sensitive": 0, "personal": 1, "plain": 2}
    lines = sorted(rows.items(), key=lambda row: (row[0][0] != "out", order[row[0][3]], row[0][1]))
    return [{"way": way, "field": field, "theirs": theirs, "care": care, "by": by}
            for (way, field, theirs, care), by in lines]  # fmt: skip


def _checks(found: Integration) -> dict[str, Any]:
    trial, broken = found.trial, Counter(each.action for each in found.trial.broken)
    actions = sorted({*trial.kept, *broken})
    return {
        "under_way": trial.under_way,
        "passed": trial.passed,
        "said": trial.said,
        "at": datetime.fromisoformat(trial.at) if trial.at else None,
        "all": sum(trial.kept.values()) + len(trial.broken),
        "kept": sum(trial.kept.values()),
        "broken": trial.broken,
        "actions": [
            {"name": found.connector.manifest.actions[name].summary, "kept": trial.kept.get(name, 0)}
            | {"all": trial.kept.get(name, 0) + broken[name]}
            for name in actions
            if name in found.connector.manifest.actions
        ],
    }


def _health(found: Integration) -> dict[str, Any]:
    health, checked = found.health, found.check
    ended = sum(health[each] for each in ("succeeded", "failed", "unknown"))
    return {
        "bars": [
            {"state": each, "count": health[each], "share": health[each] / max(1, sum(health.values()))}
            for each in ("succeeded", "failed", "unknown", "waiting")
        ],
        "all": sum(health.values()),
        "good": health["succeeded"] / ended if ended else None,
        "circuit": found.standing.circuit,
        "worked_at": datetime.fromisoformat(checked.worked_at) if checked.worked_at else None,
        "state": found.row_state,
    }
