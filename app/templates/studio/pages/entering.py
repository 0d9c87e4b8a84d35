"""What every door of the studio does first: who may come in, what is read from `control`, what a text is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from litestar import Request
from sqlalchemy.orm import Session

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.templates.authoring.checking import Checked, check_text
from app.templates.document import Source, read_yaml
from app.templates.lines.chains import Chain, find_beneath
from app.templates.lines.queries import published_shelves
from app.templates.rules import TemplateRefused
from app.templates.studio.operations import Text
from app.web.begin import home_of, runtime_of, site_of, visit_of
from app.web.responses import locale_of
from tenants.sessions import partner_session
from tenants.tenant import Tenant

PageRequest = Request[Any, Any, Any]
_TITLE, _LANGUAGE, _MOST_TITLES = 200, 35, 40  # characters of each, and how many a list keeps
Say = Callable[[dict[str, str]], str]


def enter(request: PageRequest, permission: Permission) -> Tenant:
    """The partner's home, for who may do that in it. Raises NothingHere, NotPermitted."""
    home = home_of(request)
    actor = visit_of(request).actor
    require(AtWork(staff_rights(actor), actor), permission)
    return home


def may(request: PageRequest, permission: Permission) -> bool:
    """Whether the reader may do that in their house."""
    return can(staff_rights(visit_of(request).actor), permission)


@contextmanager
def of_partner(request: PageRequest) -> Iterator[Session]:
    """The partner's scope in `control`."""
    databases, organisation_id = runtime_of(request).databases, site_of(request).organisation_id
    with partner_session(databases, organisation_id, actor=visit_of(request).actor.label) as (session, _now):
        yield session


def check(request: PageRequest, text: str) -> Checked:
    """Everything that is wrong with a text, with what it stands upon read from `control`."""

    def find(result: str) -> Chain:
        with of_partner(request) as session:
            return find_beneath(published_shelves(session), result)

    return check_text(text, find)


def plain_lines(typed: str) -> str:
    """A text as it was written: a form sends other line ends, and none of them is meant."""
    return typed.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


def source_of(text: str) -> Source | None:
    """What a text says, place by place; None where it cannot be read."""
    try:
        return read_yaml(text, "")
    except TemplateRefused:
        return None


def text_of(source: str, checked: Checked) -> Text:
    """A text with what its draft is listed by."""
    read = source_of(source)
    document = read.document if read else {}
    kind = "overlay" if "overlay" in document else "template"
    name = document.get("overlay" if kind == "overlay" else "id")
    patch = document.get("patch")
    title = document.get("title") or (patch.get("title") if isinstance(patch, dict) else None)
    titles = _titles(title) if isinstance(title, dict) else {}
    said = titles.get(str(document.get("default_locale"))) or next(iter(titles.values()), "")
    named, number = (_shown(each) if isinstance(each, str) else "" for each in (name, document.get("version")))
    return Text(source, said or named[:_TITLE], titles, named[:100], number[:50], kind, len(checked.problems))


def _titles(said: dict[Any, Any]) -> dict[str, str]:
    """A title by language, as far as an unfinished text has it."""
    texts = {name: _shown(each)[:_TITLE] for name, each in said.items() if isinstance(each, str)}
    return {_shown(str(name))[:_LANGUAGE]: text for name, text in list(texts.items())[:_MOST_TITLES] if text}


def _shown(said: str) -> str:
    """Without what cannot be kept beside a text: YAML can write any sign, a database not."""
    return "".join(each for each in said if each.isprintable()).strip()


def say_in(request: PageRequest) -> Say:
    """How texts in several languages are read to this reader."""
    language = locale_of(request).language
    return lambda said: str(said.get(language) or next(iter(said.values()), ""))
