"""One person's browser, without a screen: cookies, pages, the forms on them, and where they come from."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self, TypeVar
from urllib.parse import urlencode, urlsplit

Found = TypeVar("Found")
_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_REDIRECTS = 5


class JourneyFailed(Exception):
    """What was expected and what was seen instead: the one line a broken run ends with."""

    def __init__(self, expected: str, seen: object) -> None:
        super().__init__(f"expected: {expected}\n       seen: {seen}")


@dataclass
class PageForm:
    """A form as it stands on a page: where it goes, its hidden fields, the names people fill in, its buttons."""

    action: str
    hidden: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)  # name to what it holds now
    buttons: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """An answer that was read to its end."""

    status: int
    path: str
    text: str
    forms: tuple[PageForm, ...]
    links: tuple[str, ...]

    def form(self, part: str, *, holding: tuple[str, str] | None = None) -> PageForm:
        """The form whose action holds these letters (and this hidden field). Raises JourneyFailed."""
        for each in self.forms:
            if part in each.action and (holding is None or each.hidden.get(holding[0]) == holding[1]):
                return each
        raise JourneyFailed(f"a form for {part} on {self.path}", [each.action for each in self.forms])


class Browser:
    """Speaks to the web program at 127.0.0.1 under the name of one host."""

    def __init__(self, port: int, host: str) -> None:
        self.origin = f"http://{host}:{port}"
        self._port = port
        self._cookies: dict[str, str] = {}

    def get(self, path: str) -> Page:
        """Open a page, going where it leads. Raises JourneyFailed where it is no page for this person."""
        page = self._follow("GET", path, None)
        if page.status != http.client.OK:
            raise JourneyFailed(f"{path} to open", f"{page.status} {_words(page.text)}")
        return page

    def submit(self, form: PageForm, values: Mapping[str, str]) -> Page:
        """Send a form with its hidden fields, as the page's own button would. Raises JourneyFailed when refused."""
        page = self._follow("POST", form.action, {**form.hidden, **form.fields, **values})
        if page.status != http.client.OK:
            raise JourneyFailed(f"{form.action} to be accepted", f"{page.status} {_words(page.text)}")
        return page

    def watch(self, path: str) -> Watch:
        """Listen to a live page's stream until it is closed."""
        return Watch(self._open("GET", path, None))

    def _follow(self, method: str, path: str, fields: Mapping[str, str] | None) -> Page:
        for _turn in range(_MOST_REDIRECTS):
            connection, answer = self._open(method, path, fields)
            with contextlib.closing(connection):
                text = answer.read().decode()
            if answer.status not in _REDIRECTS:
                return read_page(answer.status, path, text)
            target = urlsplit(answer.headers["location"])
            path, method, fields = target.path + (f"?{target.query}" if target.query else ""), "GET", None
        raise JourneyFailed("a page in the end", f"{_MOST_REDIRECTS} redirects, the last to {path}")

    def _open(
        self, method: str, path: str, fields: Mapping[str, str] | None
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        headers = {"Host": self.origin.partition("://")[2], "Accept": "text/html", "Accept-Language": "en"}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        body = None
        if fields is not None:
            headers |= {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(fields).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        for cookie in answer.headers.get_all("set-cookie") or []:
            name, _, rest = cookie.partition("=")
            value = rest.partition(";")[0].strip('"')
            if value and "max-age=0" not in rest.lower():
                self._cookies[name] = value
            else:
                self._cookies.pop(name, None)
        return connection, answer


class Watch:
    """A live stream: counts the times a page was drawn anew."""

    def __init__(self, opened: tuple[http.client.HTTPConnection, http.client.HTTPResponse]) -> None:
        self._connection, self._answer = opened
        self.drawn = 0
        self._thread = threading.Thread(target=self._listen, daemon=True, name="watch")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_trouble: object) -> None:
        if self._connection.sock is not None:
            self._connection.sock.close()

    def _listen(self) -> None:
        inside = False
        while True:
            try:
                line = self._answer.readline()
            except (OSError, ValueError, http.client.HTTPException, AttributeError):
                return  # closed on purpose, or the program has gone: the one who waits will say so
            if not line:
                return
            if line.startswith(b"data:"):
                inside = True
            elif inside and not line.strip():
                self.drawn, inside = self.drawn + 1, False


class _Reader(HTMLParser):
    """Collects forms and links; knows nothing of what they mean."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.links: list[str] = []
        self._form: PageForm | None = None
        self._writing = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "a" and known.get("href"):
            self.links.append(known["href"])
        elif tag == "form":
            self._form = PageForm(known.get("action", ""))
            self.forms.append(self._form)
        elif self._form is not None:
            self._part(self._form, tag, known)

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._writing:
            self._form.fields[self._writing] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._writing = ""

    def _part(self, form: PageForm, tag: str, known: dict[str, str]) -> None:
        name = known.get("name", "")
        if tag == "button" and name and "disabled" not in known:
            form.buttons.append((name, known.get("value", "")))
        elif tag == "input" and name and known.get("type") == "hidden":
            form.hidden[name] = known.get("value", "")
        elif tag == "input" and name and known.get("type") == "checkbox":
            if "checked" in known:
                form.fields[name] = known.get("value", "on")
        elif tag in {"input", "select", "textarea"} and name:
            form.fields[name] = known.get("value", "")
            self._writing = name if tag == "textarea" else ""


def read_page(status: int, path: str, text: str) -> Page:
    """A page's forms and links."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return Page(status, path, text, tuple(reader.forms), tuple(reader.links))


def wait_for(what: str, look: Callable[[], Found | None], *, seconds: float = 30.0) -> Found:
    """Ask again until there is something. Raises JourneyFailed with what was waited for."""
    until = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        if time.monotonic() > until:
            raise JourneyFailed(what, f"nothing for {seconds:.0f} s")
        time.sleep(0.1)


def _words(text: str) -> str:
    """The visible words of an error page, in one short line."""
    reader = _Words()
    reader.feed("<main" + text.partition("<main")[2] if "<main" in text else text)
    return " ".join(reader.kept)[:300]


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def handle_data(self, data: str) -> None:
        self.kept += data.split()
