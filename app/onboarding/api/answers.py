"""One request, one read or one command: how the doors of running work are declared, and how they answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.di import Provide
from litestar.params import FromPath

from app.flow.events import Evidenced
from app.kernel.commands import Result
from app.kernel.work import Work
from app.onboarding.operations import expect_version
from app.onboarding.queries.picture import Picture, get_picture
from app.onboarding.schemas import Evidence
from app.web.begin import begin_work, run_once
from app.web.responses import locale_of
from app.web.translations import translations
from app.web.wire.answering import answer_done, answer_read, link_next, write
from app.web.wire.reading import JSON, read_body, read_key, read_match

PageRequest = Request[Any, Any, Any]
Shape = TypeVar("Shape")
Show = Callable[[Work, Picture], msgspec.Struct]


class Page(Protocol):
    """A part of a list; `next` leads on."""

    @property
    def next(self) -> str | None:
        """The cursor of the page behind it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request about one onboarding. A door names what is read, or the one command and what is shown after it."""

    request: PageRequest
    tenant_id: UUID
    onboarding_id: UUID

    def read(self, body: bytes, shape: type[Shape], *, media: tuple[str, ...] = (JSON,)) -> Shape:
        """What was sent. Raises MediaTypeUnknown, BodyUnreadable, BodyUnfit."""
        return read_body(self.request, body, shape, media=media)

    def headers(self) -> tuple[str, frozenset[str]]:
        """The key and the versions that a command needs: read first by a door that looks for something else before it.

        Raises IdempotencyKeyMissing, IdempotencyKeyUnfit, PreconditionMissing, PreconditionUnfit.
        """
        return read_key(self.request), read_match(self.request)

    def show(self, show: Show) -> Response[bytes]:
        """The answer to a read; its ETag is what a change of it says in `If-Match`."""
        with begin_work(self.request, self.tenant_id) as work:
            seen = self.see(work)
            shown = show(work, seen)
        return answer_done(write(shown), status=200, headers={"etag": f'"{seen.state.seq}"'})

    def page(self, show: Callable[[Work, Picture], Page]) -> Response[bytes]:
        """A page of a list, and the way to the next one."""
        with begin_work(self.request, self.tenant_id) as work:
            shown = show(work, self.see(work))
        return answer_read(self.request, write(shown), link_next(self.request, shown.next))

    def once(self, sent: Any, command: Callable[[Work], object], show: Show) -> Response[bytes]:
        """Do it once for its `Idempotency-Key`, from the version in `If-Match`; sent again, the same answer.

        Raises what a missing header does, OnboardingStale, and what the command does.
        """
        return self._do(sent, command, lambda work, seen, _made: show(work, seen))

    def make(
        self, sent: Any, command: Callable[[Work], UUID], show: Callable[[Work, Picture, UUID], msgspec.Struct]
    ) -> Response[bytes]:
        """As `once`, and what the command makes has an address of its own below this one."""
        return self._do(sent, command, show, status=201)

    def see(self, work: Work) -> Picture:
        """The onboarding in the reader's language. Raises NotPermitted, OnboardingMissing."""
        language = locale_of(self.request).language
        return get_picture(work, self.onboarding_id, say=translations(language).gettext, language=language)

    def _do(
        self,
        sent: Any,
        command: Callable[[Work], Any],
        show: Callable[[Work, Picture, Any], msgspec.Struct],
        *,
        status: int = 200,
    ) -> Response[bytes]:
        key, versions = self.headers()

        def perform(work: Work) -> Result:
            expect_version(work, onboarding_id=self.onboarding_id, versions=versions)
            made = command(work)
            work.session.flush()
            seen = self.see(work)
            return {"seq": seen.state.seq, "shown": msgspec.to_builtins(show(work, seen, made))}

        body = [msgspec.to_builtins(sent), self.request.headers.get("if-match", "")]
        result, replayed = run_once(self.request, self.tenant_id, key=key, body=body, operation=perform)
        shown: Any = result["shown"]
        headers = {"etag": f'"{result["seq"]}"'}
        if status == 201:  # noqa: PLR2004 - created: it has an address of its own
            headers["location"] = f"{self.request.url.path.rstrip('/')}/{shown['id']}"
        return answer_done(write(shown), status=status, headers=headers, replayed=replayed)


def read_asked(request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]) -> Asked:
    """What a door of one onboarding is given."""
    return Asked(request, tenant_id, onboarding_id)


ASKED = {"of": Provide(read_asked, sync_to_thread=False)}


def proof_of(evidence: Evidence | None) -> Evidenced | None:
    """Evidence as the engine takes it."""
    return Evidenced(statement=evidence.statement, link=evidence.link) if evidence else None
