"""Serves every example page as production would: one origin, strict policy, a brand by its stylesheet's address."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

import uvicorn
from litestar import Litestar, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Stream
from litestar.static_files import create_static_files_router

from app.partners.brand import favicon, stylesheet, version
from app.web.assets import DIST
from app.web.rendering import render
from app.web.translations import LOCALES, WRITTEN_IN, translations
from tests.look.brands import BRANDS, VIEWS
from tests.look.examples import EXAMPLES
from tests.look.examples.facts import Context

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FRAMES = ("notifications/sandbox_mail.html",)  # pages with a mail in them
_BY_VERSION = {version(brand): brand for brand in BRANDS.values()}


@dataclass(frozen=True)
class Shown:
    """One example of one page, in a brand and a language."""

    page: str
    number: int
    brand: str
    language: str = "en"

    @property
    def path(self) -> str:
        return f"/look/{self.brand}/{self.language}/{self.number}/{self.page}"


def pages() -> list[tuple[str, int]]:
    """Every whole page with the numbers of its examples: no fragments, no plain text, no subjects."""
    whole = [page for page in EXAMPLES if page.endswith(".html") and not page.rpartition("/")[2].startswith("_")]
    return [(page, number) for page in whole for number in range(len(EXAMPLES[page]))]


@get("/look/{brand:str}/{language:str}/{number:int}/{page:path}", sync_to_thread=True)
def show(brand: FromPath[str], language: FromPath[str], number: FromPath[int], page: FromPath[str]) -> Response[str]:
    name = page.removeprefix("/")
    language = EXAMPLES[name][number].get("reads", language)
    context = said(EXAMPLES[name][number], language)
    text = render(name, context, locale=LOCALES[language], brand_view=VIEWS[brand])
    # Mail has no such policy and no stylesheet: it is shown as a mail program would.
    policy = f"{POLICY}; frame-src 'self'" if name in FRAMES else POLICY
    headers = {} if name.startswith("emails/") else {"content-security-policy": policy}
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


def said(context: Context, language: str) -> Context:
    """The context with its message ids in the reader's language, as `app.web.responses` hands them to a page."""
    say, known = translations(language).gettext, dict(context)
    if isinstance(known.get("errors"), list):
        known["errors"] = [(place, say(sentence)) for place, sentence in known["errors"]]
    if message := known.get("message"):
        known["message"] = say(message) if language == WRITTEN_IN or say(message) != message else ""
    return known


@get("/brand/{name:str}", sync_to_thread=False)
def brand_file(name: FromPath[str]) -> Response[str]:
    known, _, kind = name.partition(".")
    if known not in _BY_VERSION:
        raise NotFoundException
    made, media = (stylesheet, "text/css") if kind == "css" else (favicon, "image/svg+xml")
    return Response(made(_BY_VERSION[known]), media_type=media)


@get("/stream")
async def stream() -> Stream:
    async def closing() -> AsyncIterator[str]:
        yield "event: signed-out\ndata: bye\n\n"

    return Stream(closing(), media_type="text/event-stream", headers={"cache-control": "no-store"})


@contextmanager
def serving() -> Iterator[str]:
    """The address of the site, for as long as the block runs."""
    static = create_static_files_router("/static", directories=[DIST])
    config = uvicorn.Config(
        Litestar([show, brand_file, stream, static]), host="127.0.0.1", port=0, log_level="warning", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
            if not thread.is_alive():
                raise RuntimeError("The example site did not start.")
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
