"""Where a list goes on after one page, by the manifest: a cursor, an offset, a Link header, an address given."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from app.connectors.kit.answers.meaning import NOTHING, at_pointer, read_document
from app.connectors.kit.manifest import Paging
from app.kernel.outbound.client import OutboundRequest, OutboundResponse

_LINK: Final = re.compile(r'<([^<>]{1,4096})>((?:\s*;\s*[a-z*]+\s*=\s*(?:"[^"]*"|[^\s",;]+))*)', re.IGNORECASE)
_LONGEST: Final = 2048  # letters of a cursor


class PagesEndless(Exception):
    """The peer's list does not go on as it should: a cursor that came before, or an address elsewhere."""


@dataclass(slots=True)
class Pages:
    """The pages read so far of one list."""

    paging: Paging
    rows: list[Any] = field(default_factory=list)  # Any: JSON of any shape
    read: int = 0
    received: int = 0
    seen: set[str] = field(default_factory=set)
    complete: bool = False

    def take(self, result: dict[str, Any], size: int) -> None:
        """Keep the rows of one page."""
        found = result.get(self.paging.items)
        self.rows += found if isinstance(found, list) else []
        self.read += 1
        self.received += size

    def next_url(self, url: str, answer: OutboundResponse, most_bytes: int) -> str | None:
        """The address of the next page; None at the end of the list, or of the budget. Raises PagesEndless."""
        self.seen.add(url)
        wanted = self._next(url, answer)
        return wanted if self._goes_on(wanted, most_bytes) else None

    def _goes_on(self, wanted: str | None, most_bytes: int) -> bool:
        """Whether that page is read: there is one, and the budget lasts. Raises PagesEndless."""
        if wanted is None:
            self.complete = len(self.rows) <= self.paging.max_rows
            return False
        if wanted in self.seen:
            raise PagesEndless("The peer's list names a page a second time.")
        self.seen.add(wanted)
        spent = self.received >= most_bytes or len(self.rows) >= self.paging.max_rows
        return not spent and self.read < self.paging.max_pages

    def following(self, request: OutboundRequest, answer: OutboundResponse, most_bytes: int) -> OutboundRequest | None:
        """The request for the next page; None at the end of the list, or of the budget. Raises PagesEndless."""
        if self.paging.kind != "connection":
            url = self.next_url(request.url, answer, most_bytes)
            return None if url is None else replace(request, url=url)
        cursor = self._cursor(answer)
        if not self._goes_on(cursor, most_bytes):
            return None
        body = json.loads(request.content)
        body["variables"] |= {self.paging.param: cursor}
        return replace(request, content=json.dumps(body, ensure_ascii=False).encode())

    def _cursor(self, answer: OutboundResponse) -> str | None:
        """Where a connection goes on, by its `pageInfo`."""
        told = at_pointer(read_document(answer.content), self.paging.page_info)
        if not isinstance(told, dict) or told.get("hasNextPage") is not True:
            return None
        cursor = told.get("endCursor")
        if not isinstance(cursor, str) or not cursor or len(cursor) > _LONGEST:
            raise PagesEndless("The peer says that its list goes on, and not where.")
        return cursor

    def result(self, last: dict[str, Any]) -> dict[str, Any]:
        """All rows in place of the last page's; `complete` says whether the list was read to its end."""
        return last | {self.paging.items: self.rows[: self.paging.max_rows], "complete": self.complete}

    def _next(self, url: str, answer: OutboundResponse) -> str | None:
        document = read_document(answer.content)
        paging = self.paging
        if paging.more and at_pointer(document, paging.more) in (False, None, NOTHING):
            return None
        if paging.kind == "link":
            return _same_place(url, _link_next(answer.headers.get("link", "")))
        if paging.kind == "offset":
            return self._offset(url)
        found = at_pointer(document, paging.next)
        if paging.kind == "next_url":
            return _same_place(url, found if isinstance(found, str) else "")
        if not isinstance(found, str | int) or isinstance(found, bool) or found == "":
            return None
        if len(str(found)) > _LONGEST:
            raise PagesEndless("The peer's cursor is longer than any address can carry.")
        return _with_param(url, paging.param, str(found))

    def _offset(self, url: str) -> str | None:
        """The next offset is what was read; a page with fewer rows than were asked for is the last."""
        if not self.paging.more and len(self.rows) < self.read * self.paging.size:
            return None
        return _with_param(url, self.paging.param, str(len(self.rows)))


def _with_param(url: str, name: str, value: str) -> str:
    split = urlsplit(url)
    query = [(key, each) for key, each in parse_qsl(split.query, keep_blank_values=True) if key != name]
    return urlunsplit(split._replace(query=urlencode([*query, (name, value)])))


def _link_next(header: str) -> str:
    for address, parameters in _LINK.findall(header[:8192]):
        if re.search(r';\s*rel\s*=\s*"?(?:[^"]*\s)?next(?:\s[^"]*)?"?\s*(?:;|$)', parameters, re.IGNORECASE):
            return str(address)
    return ""


def _same_place(url: str, found: str) -> str | None:
    """The address if it leads to the same scheme, host and port: credentials go nowhere else. Raises PagesEndless."""
    if not found:
        return None
    if len(found) > _LONGEST * 2:
        raise PagesEndless("The peer's next address is too long.")
    try:
        target, here = urlsplit(urljoin(url, found)), urlsplit(url)
        same = (target.scheme, target.netloc) == (here.scheme, here.netloc)
    except ValueError:
        same = False
    if not same or not found.isascii() or not found.isprintable():
        raise PagesEndless("The peer's list goes on at another host.")
    return urlunsplit(target._replace(fragment=""))
