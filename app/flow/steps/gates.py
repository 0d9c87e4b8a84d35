"""Human decisions: what a gate shows, what is missing, and what each button may do (REQUIREMENTS 1.7, X8, X9)."""

from __future__ import annotations

from msgspec import Struct

from app.flow.commands import NotifyRole
from app.flow.criteria import Criterion, CriterionFailed
from app.flow.definition import DecisionButton, Definition, GateReview, Item
from app.flow.events import By, GateDecided
from app.flow.fields import is_given
from app.flow.state import State
from app.flow.steps.draft import LONGEST_STATEMENT, Draft, NotOpen
from app.flow.steps.exceptions import open_exception
from app.flow.steps.facts import Facts
from app.kernel.errors import Conflict, Forbidden, Invalid


class GateIncomplete(Conflict):
    """Fields are missing, or checks failed, that this decision may not pass over."""


class NotTheReviewer(Forbidden):
    """The gate is decided by another role."""


class ReasonMissing(Invalid):
    """A decision that is kept with its reason came without one."""


class UnknownDecision(Invalid):
    """The gate has no such button."""


class GateView(Struct, frozen=True, kw_only=True):
    """What a reviewer sees now: ids of missing fields by rule, and the escalations that apply.

    A check is None when it could not be evaluated.
    """

    missing_hard: tuple[str, ...]
    missing_soft: tuple[str, ...]
    missing_info: tuple[str, ...]
    checks: dict[str, bool | None]
    escalations: tuple[str, ...]

    @property
    def failed_checks(self) -> tuple[str, ...]:
        """Checks that are not passed."""
        return tuple(name for name, passed in self.checks.items() if passed is not True)


def view_gate(definition: Definition, state: State, gate: str) -> GateView:
    """What the gate's reviewer sees. Raises NotOpen for what is not a gate."""
    review = definition.items[gate].review if gate in definition.items else None
    if review is None:
        raise NotOpen(f"“{gate}” is not a gate of this onboarding.")
    return _view(definition, state, review, Facts(definition, state))


def enter_gate(draft: Draft, item: Item) -> None:
    """A gate opened: tell its reviewer, and open the exceptions of hard fields that are missing."""
    review = _review(item)
    draft.commands.append(
        NotifyRole(message="gate_opened", role=review.reviewer, side=item.side, item=item.key, text=item.title)
    )
    if not review.handoff:
        return
    view = _view(draft.definition, draft.state, review, draft.facts)
    if draft.before.complete_at_handoff is None:
        draft.whole["complete_at_handoff"] = not (view.missing_hard or view.missing_soft)
    for each in draft.definition.handoff:
        if each.field.id in view.missing_hard and each.exception:
            open_exception(
                draft,
                item.key,
                kind=each.exception,
                reason_code=each.reason_code or "scope_mismatch",
                note=f"The packet lacks: {each.field.label.get('en', each.field.id)}.",
                place=f"packet.{each.field.id}",
            )


def judge(draft: Draft, event: GateDecided) -> DecisionButton:
    """Check that this person may press this button now, and return it. Raises the errors of this module."""
    item = draft.definition.items[event.gate]
    if draft.items[item.key].state != "open":
        raise NotOpen(f"This gate is {draft.items[item.key].state}; there is nothing to decide now.")
    review = _review(item)
    button = next((each for each in review.decisions if each.id == event.decision), None)
    if button is None:
        raise UnknownDecision(f"This gate has no decision “{event.decision}”.")
    view = _view(draft.definition, draft.state, review, draft.facts)
    _check_reviewer(event.by, review, view, button)
    if button.reason_required and not event.reason.strip():
        raise ReasonMissing("Write down why: this decision is kept with its reason.")
    if len(event.reason) > LONGEST_STATEMENT:
        raise ReasonMissing(f"A reason may have {LONGEST_STATEMENT} characters.")
    _check_complete(draft.definition, view, button)
    return button


def _check_reviewer(by: By, review: GateReview, view: GateView, button: DecisionButton) -> None:
    if button.effect in {"pass", "proceed", "override"}:
        for escalation in review.must_escalate:
            if escalation.id in view.escalations and escalation.role not in by.roles:
                raise NotTheReviewer(
                    f"This case must be escalated ({escalation.label.get('en', escalation.id)}): "
                    f"only the role “{escalation.role}” can let it through."
                )
        if view.escalations and button.effect != "override":
            return  # the escalation role stands above the reviewer
    if review.reviewer not in by.roles:
        raise NotTheReviewer(f"This gate is decided by the role “{review.reviewer}”.")


def _check_complete(definition: Definition, view: GateView, button: DecisionButton) -> None:
    if button.effect not in {"pass", "proceed"}:
        return
    missing = view.missing_hard + (view.missing_soft if button.effect == "pass" else ())
    if missing:
        names = {each.field.id: each.field.label.get("en", each.field.id) for each in definition.handoff}
        raise GateIncomplete(
            f"The packet is incomplete: {', '.join(names[each] for each in missing)}. "
            "Complete it, or let the reviewer pass it with a reason.",
            errors=[(f"/packet/{each}", "This is missing.") for each in missing],
        )
    if view.failed_checks:
        raise GateIncomplete(
            "Not all checks have passed; put them right, or let the reviewer override with a reason.",
            errors=[(f"/checks/{each}", "This check has not passed.") for each in view.failed_checks],
        )


def _view(definition: Definition, state: State, review: GateReview, facts: Facts) -> GateView:
    missing: dict[str, list[str]] = {"hard": [], "soft": [], "info": []}
    for each in definition.handoff if review.handoff else ():
        if not is_given(state.packet.get(each.field.id)):
            missing[each.rule].append(each.field.id)
    return GateView(
        missing_hard=tuple(missing["hard"]),
        missing_soft=tuple(missing["soft"]),
        missing_info=tuple(missing["info"]),
        checks={each.id: _answer(each.criterion, facts) for each in review.validations},
        # a case that cannot be judged is escalated: an error never opens a gate
        escalations=tuple(each.id for each in review.must_escalate if _answer(each.criterion, facts) is not False),
    )


def _answer(criterion: Criterion, facts: Facts) -> bool | None:
    try:
        return criterion.holds(facts)
    except CriterionFailed:
        return None


def _review(item: Item) -> GateReview:
    if item.review is None:
        raise NotOpen(f"“{item.key}” is not a gate of this onboarding.")
    return item.review
