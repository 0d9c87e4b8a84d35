"""Forms with files in them, read piece by piece: nothing is spooled to a disk, and no file is ever whole in memory.

Litestar's own reading of such forms keeps larger files plain in temporary ones, which no file of a customer may be.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Protocol

from anyio.to_thread import run_sync
from litestar import Request
from litestar.exceptions import InternalServerException
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from app.kernel.errors import Invalid, SlipwayError
from app.web.forms import Form, FormUnreadable, WrongContentType
from app.web.translations import mark

KIND: Final = "multipart/form-data"
_FIELDS: Final = 100_000  # bytes of all that are no files
_SPARE: Final = 1 << 20  # bytes that the frame around files may take
_READ_ON: Final = 64 << 20  # bytes that are read after a refusal, so that a browser hears of it


class UploadTooLarge(Invalid):
    """The request is larger than all that its place takes."""

    status = 413


class UploadCut(Invalid):
    """The sender went away before the end; nothing was kept."""

    status = 400


class Taker(Protocol):
    """What files go to, one after the other; each of these may refuse."""

    @property
    def most(self) -> int:
        """The bytes of all files together."""

    def begin(self, sent_name: str) -> None:
        """A file of that name follows."""

    def put(self, piece: bytes) -> None:
        """Some of its content."""

    def end(self) -> None:
        """It is whole."""


async def read_upload(request: Request[Any, Any, Any], taker: Taker) -> Form:
    """The plain fields of a posted form with files; the files go to the taker.

    Raises WrongContentType, FormUnreadable, UploadTooLarge, UploadCut, and what the taker refuses: then the rest is
    read and thrown away, as far as it is no waste, because a browser that is still sending shows no answer.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind.lower() != KIND or not options.get("boundary"):
        raise WrongContentType(mark("This door takes forms only. Open the page and send its form."))
    parts = _Parts(options["boundary"], taker)
    await feed(request, parts.put, most=taker.most + _SPARE + _FIELDS)
    return await run_sync(parts.close)


async def feed(request: Request[Any, Any, Any], put: Any, *, most: int) -> None:
    """The body, piece by piece. Raises UploadTooLarge, UploadCut, and what `put` refuses, as `read_upload` says."""
    trouble: SlipwayError | None = None
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if trouble is None:
                trouble = await run_sync(_tried, put, piece) if size <= most else UploadTooLarge(_TOO_LARGE)
            if trouble is not None and size > most + _READ_ON:
                break
    except InternalServerException as cut:  # how Litestar says that the sender has gone
        raise UploadCut(_CUT) from cut
    if trouble is not None:
        raise trouble


def _tried(put: Any, piece: bytes) -> SlipwayError | None:
    try:
        put(piece)
    except SlipwayError as refused:
        return refused
    return None


@asynccontextmanager
async def heard_out(request: Request[Any, Any, Any]) -> AsyncIterator[None]:
    """Around what is asked before the body is read: if it is refused, the body is read and thrown away, up to a limit.

    A browser that is still sending shows no answer, only a broken line.
    """
    try:
        yield
    except SlipwayError:
        with suppress(UploadCut, UploadTooLarge):
            await feed(request, _thrown_away, most=0)
        raise


def _thrown_away(_piece: bytes) -> None:
    """Nothing is kept: the sender is heard out only so that it reads the answer."""
    return  # nothing is right here: what was refused is not looked at


class _Parts:
    """The parts of one form as they come."""

    def __init__(self, boundary: str, taker: Taker) -> None:
        self._parser = PushMultipartParser(boundary, max_segment_count=200, max_header_size=8192)
        self._taker = taker
        self._pairs: list[tuple[str, str]] = []
        self._name, self._text = "", bytearray()
        self._into: str = ""  # field | file | nothing: what the bytes of this part are
        self._spent = 0

    def put(self, piece: bytes) -> None:
        """The next bytes of the body."""
        try:
            for event in self._parser.parse(piece):
                self._take(event)
        except MultipartError:
            raise FormUnreadable(_UNREADABLE) from None

    def close(self) -> Form:
        """The body is over. Raises UploadCut where the form is not."""
        try:
            self._parser.close()
        except MultipartError:
            raise UploadCut(_CUT) from None
        return Form(tuple(self._pairs))

    def _take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is None:
            self._end()
        elif self._into == "file":
            self._taker.put(bytes(event))
        elif self._into == "field":
            self._spent += len(event)
            if self._spent > _FIELDS:
                raise FormUnreadable(_UNREADABLE)
            self._text += event

    def _begin(self, part: MultipartSegment) -> None:
        self._name, self._text = part.name or "", bytearray()
        self._into = "field" if part.filename is None else "file" if part.filename else "nothing"
        if self._into == "file":
            self._taker.begin(part.filename or "")

    def _end(self) -> None:
        if self._into == "file":
            self._taker.end()
        elif self._into == "field":
            try:
                text = self._text.decode()
            except UnicodeDecodeError:
                raise FormUnreadable(_UNREADABLE) from None
            if "\x00" in text:
                raise FormUnreadable(_UNREADABLE)
            self._pairs.append((self._name, text.replace("\r\n", "\n")))
        self._into = "nothing"


_TOO_LARGE: Final = mark("These files are larger than all that is taken here together.")
_CUT: Final = mark("The upload was cut off. Send the file again.")
_UNREADABLE: Final = mark("The form could not be read.")
