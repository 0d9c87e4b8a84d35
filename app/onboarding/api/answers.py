"""How the doors of running work answer: once for each key, from the version that was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response

from app.flow.events import Evidenced
from app.kernel.commands import Result
from app.kernel.work import Work
from app.onboarding.operations import expect_version
from app.onboarding.queries.picture import Picture, get_picture
from app.onboarding.schemas import Evidence
from app.web.begin import run_once
from app.web.responses import locale_of
from app.web.translations import translations
from app.web.wire.answering import answer_done, write
from app.web.wire.reading import read_key, read_match

PageRequest = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """One change of an onboarding: what was sent, what it does, what is shown of it afterwards."""

    onboarding_id: UUID
    body: Any
    perform: Callable[[Work], Any]
    show: Callable[[Work, Picture, Any], msgspec.Struct]  # given the picture after it, and what `perform` returned
    creates: str = ""  # the folder that a new thing is in


def see(request: PageRequest, work: Work, onboarding_id: UUID) -> Picture:
    """The onboarding in the reader's language. Raises NotPermitted, OnboardingMissing."""
    language = locale_of(request).language
    return get_picture(work, onboarding_id, say=translations(language).gettext, language=language)


def once(request: PageRequest, tenant_id: UUID, command: Command) -> Response[bytes]:
    """Do it once for its `Idempotency-Key`, from the version in `If-Match`; sent again, the same answer.

    Raises what a missing header does, OnboardingStale, and what the command does.
    """
    key, versions = read_key(request), read_match(request)

    def perform(work: Work) -> Result:
        expect_version(work, onboarding_id=command.onboarding_id, versions=versions)
        made = command.perform(work)
        work.session.flush()
        picture = see(request, work, command.onboarding_id)
        return {"seq": picture.state.seq, "shown": msgspec.to_builtins(command.show(work, picture, made))}

    sent = [msgspec.to_builtins(command.body), request.headers.get("if-match", "")]
    result, replayed = run_once(request, tenant_id, key=key, body=sent, operation=perform)
    shown: Any = result["shown"]
    headers = {"etag": f'"{result["seq"]}"'}
    if command.creates:
        headers["location"] = f"{request.url.path.rstrip('/')}/{shown['id']}"
    return answer_done(write(shown), status=201 if command.creates else 200, headers=headers, replayed=replayed)


def answer_seen(picture: Picture, shown: msgspec.Struct) -> Response[bytes]:
    """The answer to a read; its ETag is what a change of it says in `If-Match`."""
    return answer_done(write(shown), status=200, headers={"etag": f'"{picture.state.seq}"'})


def proof_of(evidence: Evidence | None) -> Evidenced | None:
    """Evidence as the engine takes it."""
    return Evidenced(statement=evidence.statement, link=evidence.link) if evidence else None
