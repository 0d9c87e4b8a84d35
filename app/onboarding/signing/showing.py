"""A step in which a text is signed, as people see it: the text, who has signed, and later what was signed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

from babel import Locale

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.roles import CUSTOMER_ROLES
from app.flow.definition import Item
from app.flow.kinds.signatures import Signature, Signing, in_force, text_digest
from app.kernel.work import Work
from app.onboarding.parts.showing import part_forms
from app.onboarding.people import acting
from app.onboarding.queries.heading import TOLD, head
from app.onboarding.queries.picture import Picture
from app.onboarding.queries.stored import OnboardingMissing
from app.onboarding.signing.queries import signed_text
from app.onboarding.signing.rules import who_has_to


def signing_page(work: Work, picture: Picture, item: Item, signing: Signing) -> dict[str, Any]:
    """The page of the step. `action` is there for who may sign now. Raises OnboardingMissing.

    What the partner signs in its own steps is not the customer's to see.
    """
    told, state = bool(work.rights & CUSTOMER_ROLES), picture.of(item.key)
    if told and item.side != "customer":
        raise OnboardingMissing("There is no such step in this onboarding.")
    made = picture.state.signatures.get(item.key, ())
    locale, text = _in_language(signing, picture.language)
    standing = in_force(signing, made)
    may = _may_sign(work, picture, item, signing, standing)
    path = f"{picture.path}/tasks/{quote(item.key)}"
    return _frame(work, picture, item) | {
        "read": _shown(text, locale) | {"digest": text_digest(text), "locale": locale},
        "kept": _kept(work, picture, made),
        "have": len(standing),
        "wanted": len(who_has_to(work, picture.onboarding, item, signing)) or signing.signers,
        "role": _role(picture, signing),
        "mine": any(each.by == work.actor.label for each in standing),
        "action": f"{path}/signature" if may else "",
        "refusal": f"{path}/refusal" if may else "",
        "reason": state.reason or str(state.answers.get("comment") or ""),
    }


def _frame(work: Work, picture: Picture, item: Item) -> dict[str, Any]:
    """What stands around the text."""
    state = picture.of(item.key)
    return {
        "task": {
            "key": item.key,
            "title": dict(item.title),
            "state": state.state,
            "due_at": state.due_at,
            "why": dict(item.help),
            "optional": item.optional,
            "side": item.side,
        },
        "onboarding": head(picture, TOLD),
        "values": {},
        "errors": [],
        "more": part_forms(work, picture, item),
        "back": picture.path,
        "talk": f"{picture.path}/comments?{urlencode({'about': item.key})}",
    }


def _may_sign(work: Work, picture: Picture, item: Item, signing: Signing, standing: list[Signature]) -> bool:
    """Whether it is this person's to sign, now."""
    by = acting(work, picture.onboarding)
    open_now = picture.of(item.key).state == "open" and picture.state.phase == "running"
    asked = by.side == item.side and (signing.role is None or signing.role in by.roles)
    fresh = all(each.by != by.actor for each in standing)
    person = work.actor.kind == "person" and can(work.rights, Permission.TASK_COMPLETE)
    return open_now and asked and fresh and person


def _in_language(signing: Signing, language: str) -> tuple[str, str]:
    """The text in the reader's language, else in English, else in the first it has."""
    for locale in (language, "en"):
        if locale in signing.text:
            return locale, signing.text[locale]
    return next(iter(signing.text.items()))


def _shown(text: str, locale: str) -> dict[str, Any]:
    """A text as paragraphs, with the language it is in and the way it is read."""
    paragraphs = [part.strip("\n") for part in text.split("\n\n") if part.strip()]
    return {"paragraphs": paragraphs, "lang": locale, "dir": Locale.parse(locale, sep="-").text_direction}


def _kept(work: Work, picture: Picture, made: Iterable[Signature]) -> list[dict[str, Any]]:
    """Each text that was signed, as it was, with its signatures. `intact`: it still has the digest that was signed."""
    found: dict[str, dict[str, Any]] = {}
    for each in made:
        if each.digest not in found:
            text = signed_text(work.session, each.digest)
            shown = _shown(text or "", each.locale)
            intact = text is not None and text_digest(text) == each.digest
            found[each.digest] = shown | {"digest": each.digest, "intact": intact, "signatures": []}
        signer = picture.name_of(each.by)
        line = {"name": each.name, "signer": signer if signer != each.name else "", "at": each.at}
        found[each.digest]["signatures"].append(line | {"version": each.version})
    return list(found.values())


def _role(picture: Picture, signing: Signing) -> dict[str, str] | str:
    role = picture.definition.roles.get(signing.role or "")
    return dict(role.label) if role else ""
