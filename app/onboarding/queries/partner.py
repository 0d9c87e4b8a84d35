"""What a partner's staff see of one onboarding: the plan, its gates, its exceptions, its trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sqlalchemy import select

from app.access.decisions import can
from app.access.permissions import Permission
from app.flow.definition import Item
from app.flow.state import OpenedException
from app.flow.steps.ageing import is_overdue, rungs_of
from app.intake.queries import list_exceptions
from app.kernel.trail import list_of_onboarding
from app.kernel.work import Work
from app.onboarding.communications.showing import may_send, message_of, was_kept_back, words_of
from app.onboarding.files.showing import files_path, with_names
from app.onboarding.lifecycle.queries import chain_of, may_follow
from app.onboarding.models import Item as ItemRow
from app.onboarding.outside.showing import outside_of
from app.onboarding.parts.showing import part_forms
from app.onboarding.queries.court import ball_of, court_parts
from app.onboarding.queries.customer import fields_of, questions, values_of
from app.onboarding.queries.gate import gate_lines
from app.onboarding.queries.heading import REASONS, head, proof_of
from app.onboarding.queries.overview.answers import answers
from app.onboarding.queries.overview.notes import kind_of, note_of
from app.onboarding.queries.picture import Picture, milestones
from app.onboarding.queries.steering.course import course_of, hold_of, may_steer
from app.onboarding.queries.steering.trouble import done_about
from app.onboarding.queries.story import story_line, trace_of
from app.onboarding.sold import sold_for_page
from app.onboarding.talk.queries import count_comments
from app.web.translations import mark


def top_of(work: Work, picture: Picture, gates: list[dict[str, Any]]) -> dict[str, Any]:
    """The head of every view: how it goes, who holds the ball, and the way to the other views."""
    connections = f"/t/{picture.tenant_id}/connections" if can(work.rights, Permission.CONNECTION_READ) else ""
    kept = picture.sandbox and can(work.rights, Permission.MESSAGE_READ)
    mails = f"/t/{picture.tenant_id}/mails" if kept else ""
    trail = f"/t/{picture.tenant_id}/trail" if can(work.rights, Permission.TRAIL_READ) else ""
    waiting, exceptions = sum(gate["state"] == "open" for gate in gates), picture.state.open_exceptions()
    return {
        "onboarding": head(picture),
        "ball": ball_of(work, picture),
        "hold": hold_of(work, picture),
        "chain": chain_of(work, picture),
        "sold": sold_for_page(picture.onboarding.deal),
        "tabs": {
            "gates": waiting,
            "exceptions": len(exceptions),
            "unanswered": sum(is_overdue(each, picture.now) for each in exceptions),
            "connections": connections,
            "mails": mails,
            "trail": trail,
            "course": _has_course(work, picture),
        },
        "path": picture.path,
    }


def _has_course(work: Work, picture: Picture) -> bool:
    """Whether something can be changed, or a cancelled one has left something in other systems to look at."""
    if picture.state.status == "cancelled" and outside_of(work, picture):
        return True
    return may_steer(work) and (picture.state.status == "running" or bool(may_follow(work, picture)))


def partner_page(work: Work, picture: Picture, view: str) -> dict[str, Any]:
    """The whole page in one of its views; the plan by stages has a form at each step this person may complete."""
    gates = gate_lines(picture)
    said = count_comments(work, picture.onboarding.id)
    return top_of(work, picture, gates) | {
        "view": view,
        "court": [
            {
                "holder": part.holder,
                "seconds": part.seconds,
                "share": part.share,
                "reasons": [(picture.say(REASONS.get(code, code)), seconds) for code, seconds in part.reasons],
            }
            for part in court_parts(work, picture.onboarding.id, picture.state)
        ],
        "milestones": milestones(picture),
        "stages": [_stage(work, picture, stage, said) for stage in picture.definition.of_kind("stage")],
        "answers": answers(work, picture) if view == "plan" else None,
        "stream": f"{picture.path}/stream",
        "gates": gates,
        "exceptions": exceptions_of(work, picture) if view == "exceptions" else [],
        "trail": trail_of(work, picture) if view == "trail" else [],
        "course": course_of(work, picture) if view == "course" else [],
        "outside": outside_of(work, picture) if view == "course" and picture.state.status == "cancelled" else [],
        "errors": [],
    }


def trace_page(work: Work, picture: Picture) -> dict[str, Any]:
    """From closed deal to first value, as one more view."""
    return top_of(work, picture, gate_lines(picture)) | {"view": "trace"} | trace_of(work, picture)


def exceptions_of(work: Work, picture: Picture) -> list[dict[str, Any]]:
    """Every exception of the onboarding, open ones first, each with what can be done about it."""
    return [
        _exception(picture, record)
        | done_about(work, picture, picture.state.exceptions.get(record.key), f"{picture.path}/exceptions/{record.id}")
        for record in list_exceptions(work, picture.onboarding.id)
    ]


def _exception(picture: Picture, record: Any) -> dict[str, Any]:  # a row of intake's
    opened, item = picture.state.exceptions.get(record.key), picture.definition.items.get(record.item_key or "")
    respond_by = record.respond_by if record.state == "open" else None
    late_by = max(0.0, (picture.now - respond_by).total_seconds()) if respond_by else 0.0
    return {
        "id": str(record.id),
        "title": kind_of(picture, record.type),
        "item": dict(item.title) if item else "",
        "state": record.state,
        "reason": picture.say(REASONS.get(record.reason_code, record.reason_code)),
        "route": [_role(picture, str(role)) for role in record.route],
        "owner": picture.name_of(f"person:{record.owner_id}") if record.owner_id else "",
        "opened_at": record.opened_at,
        "respond_by": respond_by,
        "late": late_by > 0,
        "late_by": late_by,
        "told": _told(picture, opened),
        "note": note_of(picture, opened, record.summary),
        "resolution": record.reason or "",
        "solved": _solved(picture, opened),
    }


def _solved(picture: Picture, opened: OpenedException | None) -> dict[str, Any] | None:
    """When it was solved and by whom; "" is nobody: what it waited for came."""
    if opened is None or opened.resolved_at is None:
        return None
    return {"at": opened.resolved_at, "by": picture.name_of(opened.resolved_by)}


def _told(picture: Picture, opened: OpenedException | None) -> list[dict[str, str] | str]:
    """Which roles were told further up that nobody responds."""
    rungs = rungs_of(picture.definition, opened)[: opened.alerts] if opened else []
    return [_role(picture, role) for role in dict.fromkeys(role for rung in rungs for role in rung)]


def _role(picture: Picture, name: str) -> dict[str, str] | str:
    known = picture.definition.roles.get(name)
    return dict(known.label) if known else name.replace("_", " ")


def trail_of(work: Work, picture: Picture) -> list[dict[str, Any]]:
    """The onboarding's entries, newest first."""
    return [story_line(entry, picture) for entry in list_of_onboarding(work.session, picture.onboarding.id)]


def _stage(work: Work, picture: Picture, stage: Item, said: Mapping[str, int]) -> dict[str, Any]:
    query = select(ItemRow.key).where(ItemRow.onboarding_id == picture.onboarding.id, ItemRow.kind != "stage")
    keys = work.session.scalars(query.order_by(ItemRow.position)).all()
    entries = [picture.item(key) for key in keys if picture.definition.stage_of(key).key == stage.key]
    return {
        "name": dict(stage.title),
        "state": picture.of(stage.key).state,
        "entries": [_entry(work, picture, item) | {"said": said.get(item.key, 0)} for item in entries],
    }


def _entry(work: Work, picture: Picture, item: Item) -> dict[str, Any]:
    state = picture.of(item.key)
    specs = {spec["id"]: spec for spec in fields_of(item)}
    answers = with_names(work, picture, item, values_of(item, state))
    return {
        "kind": item.kind,
        "key": item.key,
        "title": dict(item.title),
        "side": item.side,
        "owner": picture.owner(item),
        "due_at": state.due_at,
        "late": picture.is_late(item.key),
        "state": state.state,
        "layer": item.layer or "",
        "exit": dict(item.evidence.label) if item.kind == "milestone" and item.evidence else "",
        "evidence": proof_of(picture, state.evidence),
        "answers": [(specs[name], answers[name]) for name in answers if name in specs and name != "statement"],
        "path": _page_of(picture, item),
        "form": _form(work, picture, item),
        "files": files_path(work, picture, item),
        "message": message_of(picture, item),
        "kept_back": was_kept_back(picture, item),
        "optional": item.optional,
        "more": part_forms(work, picture, item),
    }


def _page_of(picture: Picture, item: Item) -> str:
    """What has a page of its own, for staff too."""
    if item.kind == "gate":
        return f"{picture.path}/gates/{item.key}"
    return f"{picture.path}/tasks/{quote(item.key)}" if item.handover or item.signing else ""


def _form(work: Work, picture: Picture, item: Item) -> dict[str, Any] | None:
    """What completes the entry, if this person can and it is open."""
    if item.side != "partner" or picture.of(item.key).state != "open" or not can(work.rights, Permission.TASK_COMPLETE):
        return None
    if item.sends is not None and not may_send(work, picture, item):
        return None
    if item.handover or item.signing:
        return None
    if item.kind == "task" and item.action is None:
        word = mark("Send the message") if item.sends else mark("Complete this step")
        form = {
            "action": f"{picture.path}/tasks/{quote(item.key)}/completion",
            "label": picture.say(word),
        }
    elif _is_provable(picture, item):
        form = {"action": f"{picture.path}/milestones/{quote(item.key)}/proof", "label": picture.say(mark("Prove it"))}
    else:
        return None
    given = words_of(picture, item) if item.sends else {}
    return form | questions(picture, item, given) | {"given": given, "errors": [], "open": False}


def _is_provable(picture: Picture, item: Item) -> bool:
    """Whether a milestone's evidence can be given now: all below it is settled, nothing stands against it."""
    if item.kind != "milestone" or item.evidence is None or item.evidence.source != "person":
        return False
    settled = all(picture.state.is_settled(child) for child in item.children)
    return settled and not picture.state.open_exceptions(item.key)
