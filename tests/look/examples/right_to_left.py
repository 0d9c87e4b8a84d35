"""A complete template of the library on its way from the right: previewed by staff, and as its customer reads it.

The words are the templates' own. Staff's portal speaks its own language around them, a customer's Arabic all over.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from app.flow.definition import Definition, Item
from app.templates.preview import changes_of, facts_of, forms_of, specs_of
from tests.look.examples.customer import EXAMPLES as OF_CUSTOMER
from tests.look.examples.facts import TENANT, Context, days
from tests.look.examples.gate import EXAMPLES as OF_GATE
from tests.look.examples.library.lines import EXAMPLES as OF_LINES
from tests.look.examples.library.lines import merge_in
from tests.look.examples.library.templates import arabic, for_arabs, from_the_right
from tests.look.examples.onboarding.dates import EXAMPLES as OF_DATES
from tests.look.examples.onboarding.overview import SOLD, TOLD

READS: Context = {"reads": "ar"}  # whatever the pictures' brand speaks otherwise


@cache
def _plan() -> Definition:
    return for_arabs().compile()


def _of(kind: str) -> list[Item]:
    return [item for item in _plan().items.values() if item.kind == kind]


def _theirs() -> list[Item]:
    return [item for item in _of("task") if item.side == "customer" and item.fields]


def _form(item: Item, **more: Any) -> Context:
    """A task of the template as a customer's form."""
    task = {"title": dict(item.title), "why": dict(item.help) or dict(item.title), "key": item.key, "kept": ""}
    known = OF_CUSTOMER["onboarding/customer_task.html"][0]
    who = "لا يراه إلا من يعملون على هذه التهيئة، من طرفكم ومن طرفنا."
    own = {"fields": specs_of(item.fields), "task": known["task"] | task | {"who_sees": who}}
    return known | READS | own | more


def _stops() -> list[Context]:
    states, stops = ["reached", "reached", "late", "ahead"], []
    for place, item in enumerate(_of("milestone")[:6]):
        takes = dict(item.evidence.label) if item.evidence else ""
        stop = {"name": dict(item.title), "state": states[min(place, 3)], "at": days(4 * place - 12), "takes": takes}
        stops.append(stop if place < 5 else stop | {"at": None})
    return stops


def _stages() -> list[Context]:
    states = [("done", True), ("open", True), ("waiting", False)]
    rows = []
    for stage, (state, mine) in zip(_of("stage"), states, strict=False):
        tasks = [item for item in _of("task") if _plan().stage_of(item.key) is stage][:4]
        rows.append({"name": dict(stage.title), "tasks": [_step(item, state, mine=mine) for item in tasks]})
    return rows


def _step(item: Item, state: str, *, mine: bool) -> Context:
    theirs = item.side == "customer"
    place = {"side": item.side, "owner": "" if theirs else "Dana Weber", "due_at": days(3), "state": state}
    return place | {"title": dict(item.title), "optional": item.optional, "path": TENANT if theirs and mine else ""}


def _answers() -> Context:
    names = [dict(item.title) for item in _theirs()]
    nexts = [entry | {"title": name} for entry, name in zip(TOLD["next"], names, strict=False)]
    date = TOLD["date"] | {"why": "انتهت «تسمية الفريق» بعد الموعد المتوقع."}
    trouble = TOLD["trouble"] | {
        "open": [TOLD["trouble"]["open"][0] | {"title": "ننتظر صلاحية الدخول التقنية."}],
        "solved": [TOLD["trouble"]["solved"][0] | {"title": "لزم ردّ منكم"}],
    }
    return TOLD | {"next": nexts, "ball": TOLD["ball"] | {"step": names[0]}, "date": date, "trouble": trouble}


def _status() -> Context:
    known, tasks = OF_CUSTOMER["onboarding/customer_status.html"][0], _theirs()
    next_task = known["next_task"] | {"title": dict(tasks[0].title), "why": dict(tasks[0].help)}
    next_task |= {"who_sees": "لا يراه إلا من يعملون على هذه التهيئة، من طرفكم ومن طرفنا."}
    ours = [item for item in _of("task") if item.side == "partner"]
    sold = SOLD | {"told": True, "prices": [], "tier": {"ar": "ذهبي"}, "add_ons": [{"ar": "النسخ الاحتياطي"}]}
    sold |= {"title": {"ar": "الخدمات المُدارة الذهبية"}, "excluded": {"ar": "المشاريع، وكل ما هو خارج أيام العمل"}}
    return (
        known
        | READS
        | {
            "onboarding": known["onboarding"] | {"name": "مجموعة الخليج التجارية: 25 workplaces"},
            "milestones": _stops(),
            "next_task": next_task,
            "doing": [{"title": dict(ours[3].title), "owner": "Dana Weber", "since": days(-3)}],
            "then": [dict(item.title) for item in tasks[1:3]],
            "answers": _answers(),
            "sold": sold,
        }
    )


def _dates() -> Context:
    known = OF_DATES["onboarding/dates/customer.html"][0]
    titles = [dict(item.title) for item in (_theirs()[0], _theirs()[1], _of("milestone")[2])]
    rows = [row | {"title": title} for row, title in zip(known["rows"], titles, strict=True)]
    rows[1] = rows[1] | {
        "why": [rows[1]["why"][0] | {"why": "اختير هذا الموعد.", "reason": "مشرفنا في إجازة حتى الجمعة."}]
    }
    rows[1]["paused"] = [{"since": days(-1), "why": "في انتظار مشرف العميل"}]
    return known | READS | {"rows": rows, "names": {"partner": "Northwind", "customer": "مجموعة الخليج"}}


def _gate() -> Context:
    known = OF_GATE["onboarding/gate_review.html"][1]
    gate = next(item for item in _of("gate") if item.review and item.review.handoff)
    facts = _plan().handoff
    packet = [
        fact
        | {
            "label": dict(field.field.label),
            "why": dict(field.why),
            "rule": field.rule,
            "spec": specs_of([field.field])[0],
        }
        for fact, field in zip(known["packet"], facts, strict=False)
    ]
    review = gate.review
    assert review is not None
    buttons = [
        shown | {"label": dict(button.label), "consequence": "تُفتح نقطة الاعتماد وتبدأ الخطوات التالية."}
        for shown, button in zip(known["decisions"], review.decisions, strict=False)
    ]
    return (
        known
        | READS
        | {
            "gate": known["gate"] | {"title": dict(gate.title), "role": dict(_plan().roles[gate.owner].label)},
            "packet": packet,
            "blocking": [known["blocking"][0] | {"label": packet[1]["label"], "why": packet[1]["why"]}],
            "naming": [known["naming"][0] | {"label": packet[3]["label"], "why": packet[3]["why"]}],
            "checks": [{"state": "complete", "text": dict(check.label)} for check in review.validations],
            "escalate": [{"text": dict(case.label), "applies": True} for case in review.must_escalate[:2]],
            "logged": ["من قرّر", "القرار", "السبب"],
            "decisions": buttons,
            "errors": [("reason", "اكتبوا السبب: يُحفظ هذا القرار مع سببه.")],
        }
    )


_ASKED = _theirs()[0]
_LONG = max(_theirs(), key=lambda item: len(item.fields))
EXAMPLES: dict[str, list[Context]] = {
    "templates/template.html": [
        from_the_right("forms", forms_of(_plan(), arabic)),
        from_the_right("needs", facts_of(_plan(), arabic)),
        from_the_right("changes", changes_of(for_arabs(), arabic)),
    ],
    "templates/lines/upgrade.html": [OF_LINES["templates/lines/upgrade.html"][0] | merge_in("ar")],
    "onboarding/customer_status.html": [_status()],
    "onboarding/customer_steps.html": [
        OF_CUSTOMER["onboarding/customer_steps.html"][0] | READS | {"stages": _stages()},
    ],
    "onboarding/customer_task.html": [
        _form(_LONG, values={"workplaces": "25x"}, errors=[("workplaces", "يجب أن يكون هذا عددًا صحيحًا.")]),
        _form(
            _ASKED,
            task=_form(_ASKED)["task"] | {"state": "done", "completed_at": days(-1), "completed_by": "Maria Lopez"},
            values={field.id: "https://wiki.example/mail" for field in _ASKED.fields if field.type != "date"},
        ),
    ],
    "onboarding/dates/customer.html": [_dates()],
    "onboarding/gate_review.html": [_gate()],
}
