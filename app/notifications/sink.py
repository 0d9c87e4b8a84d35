"""The local mail sink: a real SMTP server on this machine that keeps each mail as a file. For the demo and tests.

python -m app.notifications.sink --port 2525 --folder DIR
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

from aiosmtpd.smtp import SMTP, Envelope

from app.notifications.mail_folder import KEPT, MailFolder, StoredMail

LOOPBACK: Final = "127.0.0.1"
LARGEST: Final = 5_000_000  # bytes a mail
_PATIENCE: Final = 10.0  # seconds until a start or a stop counts as failed


class SinkNotStarted(RuntimeError):
    """The sink could not listen: usually its port is taken."""


class MailSink:
    """Takes every mail that comes to its port and keeps it in `folder`, at most `kept` of them.

    In a test: `with MailSink(tmp_path) as sink: ... sink.messages()`. A mail is there when the sender has its answer.
    """

    def __init__(self, folder: Path, *, kept: int = KEPT, largest: int = LARGEST) -> None:
        self.folder = MailFolder(folder, kept=kept)
        self.port = 0
        self._largest = largest
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int = 0) -> int:
        """Listen on loopback, in a thread of its own; 0 is any free port. Returns the port. Raises SinkNotStarted."""
        listening = listen(port)
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(self._loop, listening, ready), name="mail-sink")
        self._thread.daemon = True
        self._thread.start()
        if not ready.wait(_PATIENCE):
            raise SinkNotStarted("The mail sink did not start in time.")
        self.port = int(listening.getsockname()[1])
        return self.port

    def stop(self) -> None:
        """Stop listening and end every conversation. Repeatable."""
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop = self._thread = None

    def messages(self, *, to: str | None = None) -> list[StoredMail]:
        """Every mail, the newest first; `to` keeps those delivered to this address."""
        return self.folder.messages(to=to)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_trouble: object) -> None:
        self.stop()

    async def serve(self, listening: socket.socket) -> asyncio.Server:
        """Answer on this socket, in the running loop."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(self._conversation, sock=listening)

    # The name is aiosmtpd's: it calls this when a mail is complete, on the loop.
    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail, then say that it is kept."""
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content or "").encode()
        self.folder.store(content, [str(address) for address in envelope.rcpt_tos])
        return "250 2.0.0 kept"

    def _conversation(self) -> SMTP:
        return SMTP(
            self,
            data_size_limit=self._largest,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="mail sink",
            timeout=60,
        )

    def _run(self, loop: asyncio.AbstractEventLoop, listening: socket.socket, ready: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(self.serve(listening))
        ready.set()
        try:
            loop.run_forever()
        finally:
            server.close()
            ending = asyncio.all_tasks(loop)
            for task in ending:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*ending, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()


def listen(port: int) -> socket.socket:
    """A socket that listens on loopback. Raises SinkNotStarted when the port is taken."""
    # Asyncio sends small answers at once only on a socket that says it is TCP: each greeting waited 40 ms for that.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((LOOPBACK, port))
    except OSError as trouble:
        listening.close()
        raise SinkNotStarted(f"The mail sink cannot listen on port {port}: {trouble.strerror}.") from None
    listening.listen()
    return listening


async def run(sink: MailSink, listening: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    server = await sink.serve(listening)
    sys.stdout.write(f"mail sink on {LOOPBACK}:{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    await ended.wait()
    server.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """The sink as a program of its own."""
    parser = argparse.ArgumentParser(prog="python -m app.notifications.sink", description="Keeps mail as files.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one and prints it")
    parser.add_argument("--folder", type=Path, required=True, help="where the mails are kept")
    chosen = parser.parse_args(arguments)
    try:
        listening = listen(chosen.port)
    except SinkNotStarted as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 1
    asyncio.run(run(MailSink(chosen.folder), listening))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
