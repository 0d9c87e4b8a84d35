"""Asks the web program whether it is ready, without ever waiting: the supervisor has other things to look after."""

from __future__ import annotations

import socket
import time

ANSWER_WITHIN = 10.0  # seconds; then the question is asked anew


class Question:
    """One open question at a time: asking again and again would only fill the line of a program that still starts."""

    def __init__(self, address: tuple[str, int], host: str) -> None:
        self._address = address
        self._request = f"GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("ascii")
        self._connection: socket.socket | None = None
        self._asked = 0.0
        self._heard = b""

    def answered(self) -> bool:
        """Whether it has said 200 by now. Never blocks; opens the question, or asks it anew, as needed."""
        try:
            if self._connection is None:
                self._ask()
            self._listen()
        except (BlockingIOError, InterruptedError):
            if time.monotonic() - self._asked > ANSWER_WITHIN:
                self.close()
        except OSError:
            self.close()
        if b"\r\n" not in self._heard:
            return False
        status = self._heard.split(b"\r\n", maxsplit=1)[0].split(b" ")[1:2]
        self.close()
        return status == [b"200"]

    def close(self) -> None:
        """Forget the question."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._heard = None, b""

    def _ask(self) -> None:
        # The supervisor holds the listening socket: the connection is there at once, whoever may answer it later.
        self._connection = socket.create_connection(self._address, timeout=1)
        self._connection.sendall(self._request)
        self._connection.setblocking(False)
        self._asked = time.monotonic()

    def _listen(self) -> None:
        if self._connection is None:
            return
        chunk = self._connection.recv(4096)
        if not chunk and b"\r\n" not in self._heard:
            raise ConnectionError
        self._heard += chunk
