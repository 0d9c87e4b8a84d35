"""Several children in one log."""

from __future__ import annotations

import io

from app.demo.log import LONGEST, Lines, Log


class Terminal(io.BytesIO):
    def isatty(self):
        return True


class Closed(io.BytesIO):
    def write(self, *_):
        raise BrokenPipeError


class TestLines:
    def test_keep_two_children_apart(self):
        stream = io.BytesIO()
        log = Log(stream, ["web", "worker"])
        web, worker = Lines(log, "web"), Lines(log, "worker")
        web.feed(b"half ")
        worker.feed(b"whole\n")
        web.feed(b"a line\nrest")
        web.close()
        assert stream.getvalue().decode().splitlines() == ["worker │ whole", "web    │ half a line", "web    │ rest"]

    def test_cut_a_line_without_end(self):
        stream = io.BytesIO()
        lines = Lines(Log(stream, ["web"]), "web")
        for _ in range(40):
            lines.feed(b"x" * 8192)
        assert max(map(len, stream.getvalue().split(b"\n"))) < LONGEST + 8192 + 20
        assert stream.getvalue().count(b"x") >= 32 * 8192


class TestLog:
    def test_colours_names_on_a_terminal_only(self, monkeypatch):
        monkeypatch.delenv("NO_COLOR", raising=False)
        terminal, plain = Terminal(), io.BytesIO()
        for stream in (terminal, plain):
            Log(stream, ["web"]).line("web", b"hello\r\n")
        assert terminal.getvalue().startswith(b"\x1b[")
        assert plain.getvalue() == "web │ hello\n".encode()

    def test_notices_that_nobody_reads_any_more(self):
        log = Log(Closed(), ["web"])
        log.line("web", b"hello")
        assert log.broken
