"""A task that sends: opens for whoever is asked, is kept back, or sends; each is one step of a decision."""

from __future__ import annotations

from app.flow.commands import NotifyRole, SendCommunication
from app.flow.communications.policy import Standing, standing_of
from app.flow.communications.text import AS_WRITTEN, in_language, written_text
from app.flow.criteria import CriterionFailed
from app.flow.definition import Communication, Item
from app.flow.events import By
from app.flow.fields import Text, Value
from app.flow.state import SYSTEM
from app.flow.steps.draft import Draft
from app.flow.steps.exceptions import close_exception
from app.kernel.errors import Conflict, Forbidden


class NotTheApprover(Forbidden):
    """Only who holds the role that approves this message may send it, and only the partner's people send at all."""


class PolicyUnclear(Conflict):
    """A rule of the message's policy cannot be judged, so nothing is sent."""


def standing_in(draft: Draft, item: Item) -> Standing:
    """What the message's policy says now. Raises CriterionFailed."""
    return standing_of(draft.definition, item, draft.items[item.key], draft.facts.of(item))


def check_sender(draft: Draft, item: Item, by: By) -> None:
    """Whether this person may send what the task sends. Raises NotTheApprover, PolicyUnclear."""
    if by.side != "partner":
        raise NotTheApprover("Messages are sent by the partner's people.")
    try:
        approval = standing_in(draft, item).approval
    except CriterionFailed as trouble:
        raise PolicyUnclear(
            f"Whether this message may be sent cannot be judged: {trouble.place}. Its exception says why."
        ) from None
    if approval is not None and approval not in by.roles:
        raise NotTheApprover(f"This message needs approval: only the role “{approval}” can send it.")


def send_written(draft: Draft, item: Item, answers: dict[str, Value]) -> dict[str, Value]:
    """Send what a person wrote, exactly that. Returns it as it is kept. Raises AnswersRefused."""
    kept = written_text(answers)
    subject, body = {AS_WRITTEN: str(kept["subject"])}, {AS_WRITTEN: str(kept["body"])}
    _send(draft, item, subject, body, by_itself=False)
    return kept


def send_by_itself(draft: Draft, item: Item) -> None:
    """Send the template's own words, to each reader in theirs; the task keeps them in the template's first language."""
    message, language = _message(draft, item), draft.definition.locales[0]
    subject, body = in_language(message.subject, language), in_language(message.body, language)
    draft.set(item.key, answers={"subject": subject, "body": body})
    _send(draft, item, message.subject, message.body, by_itself=True)


def ask_whoever_sends(draft: Draft, item: Item, standing: Standing) -> None:
    """Tell whoever is to read and send it: who has to approve it, else its owner."""
    approvals = {key: role for key, role in draft.approvals.items() if key != item.key}
    if standing.approval is not None:
        approvals[item.key] = standing.approval
    draft.whole["approvals"] = approvals
    role = standing.approval or item.owner
    side = draft.definition.roles[role].side
    draft.commands.append(NotifyRole(message="task_opened", role=role, side=side, item=item.key, text=item.title))


def look_again(draft: Draft, item: Item) -> Standing:
    """What applies to a message that waits for somebody, after what has just happened. Raises CriterionFailed.

    Whoever has to send it now, and had not before, is told.
    """
    standing = standing_in(draft, item)
    _clear_errors(draft, item)
    if not standing.suppressed and standing.approval != draft.approvals.get(item.key):
        ask_whoever_sends(draft, item, standing)
    return standing


def forget_approvals(draft: Draft) -> None:
    """Nobody is asked any more about what has ended."""
    known = draft.approvals
    asked = {key: role for key, role in known.items() if key in draft.items and draft.items[key].state != "waiting"}
    asked = {key: role for key, role in asked.items() if not draft.is_settled(key)}
    if asked != known:
        draft.whole["approvals"] = asked


def _send(draft: Draft, item: Item, subject: Text, body: Text, *, by_itself: bool) -> None:
    """Each sending of a task has a number of its own; what went out once never goes out by itself again."""
    message, number = _message(draft, item), draft.items[item.key].request + 1
    draft.set(item.key, request=number)
    draft.commands.append(
        SendCommunication(
            task=item.key,
            communication=message.id,
            kind=message.kind,
            to=message.to,
            replies_to=message.replies_to,
            subject=dict(subject),
            body=dict(body),
            number=number,
            by_itself=by_itself,
        )
    )


def _clear_errors(draft: Draft, item: Item) -> None:
    """The rules of the policy can be judged again: close what was opened for them, and for no other rule."""
    message = _message(draft, item)
    rules = (message.suppress, message.approval.when if message.approval else None)
    places = {rule.place for rule in rules if rule is not None}
    for each in list(draft.exceptions.values()):
        if each.is_open and each.item == item.key and each.place in places:
            close_exception(draft, each, resolution="close", reason="The criterion evaluates again.", by=SYSTEM)


def _message(draft: Draft, item: Item) -> Communication:
    return draft.definition.communications[item.sends or ""]
