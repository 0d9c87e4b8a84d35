"""Items and gates of one onboarding as software sees them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import UNSET

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.roles import CUSTOMER_ROLES
from app.flow.communications.policy import communication_of
from app.flow.definition import GateReview, HandoffField, Item
from app.flow.fields import Field
from app.flow.kinds.signatures import text_digest
from app.flow.state import ItemState
from app.flow.steps.gates import GateView, view_gate
from app.intake.queries import PacketRow, list_packet
from app.kernel.work import Work
from app.onboarding.communications.schemas import SendsOut
from app.onboarding.communications.showing import judged
from app.onboarding.people import acting
from app.onboarding.queries.picture import Picture
from app.onboarding.queries.stored import OnboardingMissing
from app.onboarding.schemas import (
    ButtonOut,
    CheckOut,
    EscalationOut,
    FactOut,
    FileRules,
    GateOut,
    ItemList,
    ItemOut,
    ItemQuery,
    OptionOut,
    PacketOut,
    ProofOut,
    QuestionOut,
)
from app.onboarding.signing.queries import signed_text
from app.onboarding.signing.schemas import SignatureOut, SigningOut


def list_items(work: Work, picture: Picture, asked: ItemQuery) -> ItemList:
    """The items that fit, in the order of the plan."""
    shown = (show_item(work, picture, item) for item in picture.definition.items.values())
    fitting = [one for one in shown if asked.kind in {UNSET, one.kind} and asked.side in {UNSET, one.side}]
    return ItemList(picture.state.seq, [one for one in fitting if asked.state in {UNSET, one.state}])


def get_item(work: Work, picture: Picture, key: str) -> ItemOut:
    """One item. Raises OnboardingMissing where there is none of that key."""
    return show_item(work, picture, picture.item(key))


def show_item(work: Work, picture: Picture, item: Item) -> ItemOut:
    """An item as its reader's side may see it."""
    state = picture.of(item.key)
    inside = bool(work.rights & CUSTOMER_ROLES) and item.side != "customer"
    return ItemOut(
        key=item.key,
        kind=item.kind,
        parent=item.parent,
        title=dict(item.title),
        side=item.side,
        role=item.owner,
        assignee=UUID(state.assignee) if state.assignee else None,
        owners=[name for name in picture.owner(item).split(", ") if name],
        optional=item.optional,
        state=state.state,
        late=picture.is_late(item.key),
        opened_at=state.opened_at,
        due_at=state.due_at,
        due_cause=state.due_cause,
        settled_at=state.settled_at,
        settled_by=picture.name_of(state.settled_by),
        questions=_questions(item),
        wants_evidence=item.evidence is not None and item.evidence.source == "person",
        answers=None if inside else dict(state.answers),
        result=None if inside else dict(state.result),
        evidence=None if inside else _proof(picture, state),
        decision=state.decision,
        reason=None if inside else state.reason,
        sends=None if inside else _sends(picture, item),
        signing=None if inside else _signing(work, picture, item),
    )


def _signing(work: Work, picture: Picture, item: Item) -> SigningOut | None:
    rule = item.signing
    if rule is None:
        return None
    return SigningOut(
        text=dict(rule.text),
        digests={locale: text_digest(text) for locale, text in rule.text.items()},
        role=rule.role,
        signers=rule.signers,
        everyone=rule.everyone,
        signatures=[
            SignatureOut(
                by=picture.name_of(each.by),
                name=each.name,
                at=each.at,
                locale=each.locale,
                digest=each.digest,
                version=each.version,
                text=signed_text(work.session, each.digest),
            )
            for each in picture.state.signatures.get(item.key, ())
        ],
    )


def _sends(picture: Picture, item: Item) -> SendsOut | None:
    message = communication_of(picture.definition, item)
    if message is None:
        return None
    standing = judged(picture, item)
    return SendsOut(
        communication=message.id,
        kind=message.kind,
        mode=message.mode,
        to=message.to,
        replies_to=message.replies_to,
        subject=dict(message.subject),
        body=dict(message.body),
        may_promise=dict(message.may_promise),
        must_not_promise=dict(message.must_not_promise),
        by_itself=standing.by_itself if standing else None,
        approval=standing.approval if standing else None,
        unclear=standing is None,
    )


def _questions(item: Item) -> list[QuestionOut]:
    """What a step asks: of credentials the fields themselves, of what was answered only that they were given."""
    handed = item.handover.fields if item.handover else ()
    asked = [QuestionOut(each.id, dict(each.label), each.type, each.required, []) for each in handed]
    return asked or [_question(field) for field in item.fields]


def _question(field: Field) -> QuestionOut:
    options = [OptionOut(option.id, dict(option.label)) for option in field.options]
    when = getattr(field.when, "source", None)
    rules = (list(field.accept), field.max_mb, field.minimum or 0, field.maximum or 1)
    files = FileRules(*rules) if field.type == "files" else None
    return QuestionOut(field.id, dict(field.label), field.type, field.required, options, when, files)


def get_packet(work: Work, picture: Picture) -> PacketOut:
    """Every fact that is handed over, with its source and who corrected it."""
    return PacketOut(picture.state.seq, _facts(work, picture))


def _facts(work: Work, picture: Picture) -> list[FactOut]:
    rows = {row.field: row for row in list_packet(work, picture.onboarding.id)}
    return [_fact(picture, each, rows.get(each.field.id)) for each in picture.definition.handoff]


def get_gate(work: Work, picture: Picture, key: str) -> GateOut:
    """A gate with all that its reviewer has to see (REQUIREMENTS 1.7). Raises OnboardingMissing for what is none."""
    item, state = picture.item(key), picture.of(key)
    review = item.review
    if review is None:
        raise OnboardingMissing("There is no such gate in this onboarding.")
    view = view_gate(picture.definition, picture.state, key)
    return GateOut(
        key=key,
        title=dict(item.title),
        state=state.state,
        reviewer=review.reviewer,
        shows=list(review.shows),
        records=_facts(work, picture) if review.handoff else [],
        draft=dict(review.draft) if review.draft else None,
        checks=[CheckOut(each.id, dict(each.label), view.checks[each.id]) for each in review.validations],
        decisions=_buttons(review, view),
        must_escalate=[
            EscalationOut(each.id, dict(each.label), each.role, each.id in view.escalations)
            for each in review.must_escalate
        ],
        override_reason=dict(review.override_reason),
        logged=list(review.logged),
        may_decide=_may_decide(work, picture, review, state),
        decision=state.decision,
        reason=state.reason,
        decided_by=picture.name_of(state.settled_by),
        decided_at=state.settled_at,
    )


def _may_decide(work: Work, picture: Picture, review: GateReview, state: ItemState) -> bool:
    held = review.reviewer in acting(work, picture.onboarding).roles
    return held and state.state == "open" and can(work.rights, Permission.GATE_DECIDE)


def _buttons(review: GateReview, view: GateView) -> list[ButtonOut]:
    blocked = bool(view.missing_hard or view.failed_checks)
    stands = {"pass": blocked or bool(view.missing_soft), "proceed": blocked}
    return [
        ButtonOut(each.id, dict(each.label), each.effect, each.reason_required, not stands.get(each.effect, False))
        for each in review.decisions
    ]


def _fact(picture: Picture, field: HandoffField, row: PacketRow | None) -> FactOut:
    value: Any = picture.state.packet.get(field.field.id)
    by = picture.name_of(f"person:{row.corrected_by}") if row and row.corrected_by else ""
    return FactOut(
        field=field.field.id,
        label=dict(field.field.label),
        rule=field.rule,
        value=value,
        given=value not in {None, ""},
        source=row.source if row and value is not None else "",
        corrected_by=by,
        changed_at=row.changed_at if row else None,
    )


def _proof(picture: Picture, state: ItemState) -> ProofOut | None:
    proof = state.evidence
    if proof is None:
        return None
    return ProofOut(proof.statement, proof.link, picture.name_of(proof.given_by), proof.given_at)
