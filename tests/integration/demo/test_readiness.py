"""Asking a web program that is not there yet, is slow, or says no: never waited for, never asked twice at once."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from app.demo import readiness
from app.demo.readiness import Question
from tests.integration.demo.runs import wait_for


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)
        yield listening


@pytest.fixture
def question(listener) -> Iterator[Question]:
    asked = Question(listener.getsockname(), "localhost:8000")
    yield asked
    asked.close()


def answer(listener: socket.socket, *pieces: bytes) -> bytes:
    """Take one question and answer it; the question."""
    connection, _ = listener.accept()
    with connection:
        asked = connection.recv(4096)
        for piece in pieces:
            connection.sendall(piece)
        return asked


class TestQuestion:
    def test_is_asked_once_while_nobody_answers(self, listener, question):
        began = time.monotonic()
        for _ in range(100):
            assert not question.answered()
        assert time.monotonic() - began < 1
        assert answer(listener, b"HTTP/1.1 200 OK\r\n\r\n").startswith(
            b"GET /readyz HTTP/1.1\r\nHost: localhost:8000\r\n"
        )
        wait_for(question.answered, "the answer")
        listener.settimeout(0.05)
        with pytest.raises(TimeoutError):
            listener.accept()

    def test_hears_an_answer_in_pieces(self, listener, question):
        assert not question.answered()
        answer(listener, b"HTTP/1.1 2", b"00 OK\r\n")
        wait_for(question.answered, "the answer")

    @pytest.mark.parametrize("refusal", [(), (b"HTTP/1.1 503 Busy\r\n\r\n",), (b"nonsense\r\n",), (b"\r\n",)])
    def test_is_asked_anew_after_a_no(self, listener, question, refusal):
        assert not question.answered()
        answer(listener, *refusal)
        listener.setblocking(False)
        wait_for(lambda: not question.answered() and asked_again(listener), "the question to be asked again")

    def test_is_asked_anew_after_a_while(self, listener, question, monkeypatch):
        monkeypatch.setattr(readiness, "ANSWER_WITHIN", 0.0)
        assert not question.answered()
        first, _ = listener.accept()
        assert not question.answered()
        second, _ = listener.accept()
        first.close()
        second.close()

    def test_survives_that_nobody_listens(self, listener, question):
        listener.close()
        assert not question.answered()


def asked_again(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True
