"""Group commit on our side of the wire: while one thread asks, the others line up, and the next asks for all of them.

Alone, a thread asks at once and waits for nobody. A library for this was looked for; what there is batches by a timer,
which makes the quiet hour as slow as the busy one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
_MOST: Final = 128  # as many are asked for at once


class Unanswered(Exception):
    """Whoever asked for this one too was stopped in the middle; it may have been done."""


@dataclass(slots=True, eq=False)
class _Entry(Generic[Asked, Answer]):
    asked: Asked
    latch: threading.Lock = field(default_factory=threading.Lock)  # held until it is woken: an Event costs far more
    leads: bool = False  # it is this one's turn to ask for all
    answers: list[Answer] = field(default_factory=list)  # one, once it is there
    error: BaseException | None = None


class Gather(Generic[Asked, Answer]):
    """Asks `answer` for what several threads want at one moment: one call, and an answer for each in the same order.

    What a call raises, everybody raises who was in it. Safe to share between threads.
    """

    def __init__(self, answer: Callable[[Sequence[Asked]], Sequence[Answer]]) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self._waiting: list[_Entry[Asked, Answer]] = []
        self._led = False

    def ask(self, asked: Asked) -> Answer:
        """The answer to this. Waits for at most the call under way and the next one."""
        entry: _Entry[Asked, Answer] = _Entry(asked)
        entry.latch.acquire()
        with self._lock:
            self._waiting.append(entry)
            entry.leads, self._led = not self._led, True
        try:
            if not entry.leads:
                entry.latch.acquire()
            if entry.leads:
                self._lead()
        except BaseException:  # a thread that is told to stop leaves no others without somebody who asks
            self._leave(entry)
            raise
        if entry.error is not None:
            raise entry.error
        if not entry.answers:
            raise Unanswered("The thread that asked for several was stopped while it did.")
        return entry.answers[0]

    def _lead(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        try:
            answers = self._answer([entry.asked for entry in batch])
            for entry, answer in zip(batch, answers, strict=True):
                entry.answers.append(answer)
        except Exception as error:  # noqa: BLE001 - theirs as well: raised again by each who was in this call
            for entry in batch:
                entry.error = error
        finally:
            with self._lock:
                self._hand_on()
            for entry in batch:
                entry.leads = False
                entry.latch.release()

    def _leave(self, entry: _Entry[Asked, Answer]) -> None:
        with self._lock:
            if entry in self._waiting:
                self._waiting.remove(entry)
            if entry.leads:
                entry.leads = False
                self._hand_on()

    def _hand_on(self) -> None:
        self._led = bool(self._waiting)
        if self._led:
            self._waiting[0].leads = True
            self._waiting[0].latch.release()
