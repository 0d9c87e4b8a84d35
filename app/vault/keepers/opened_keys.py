"""What a distant keeper of keys has answered a moment ago, in memory and for minutes at most. Asks nobody itself."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final
from uuid import UUID

from app.vault.keepers.wrapping import KeyMissing, KeysDisabled
from app.vault.secret import Secret

LIMIT: Final = 2000  # keys
OPENED_FOR: Final = 300.0  # seconds: the longest that a disabled key may still open something where no word arrives
REFUSED_FOR: Final = 30.0  # seconds: a tenant that is switched off does not cost a call for each attempt
Refusal = KeyMissing | KeysDisabled
Asked = tuple[UUID, str, bytes]  # tenant, purpose, wrapped key


class OpenedKeys:
    """The keys opened last, least used first out, and refusals. Safe for many threads."""

    def __init__(self, *, limit: int = LIMIT, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._clock = limit, clock
        self._lock = threading.Lock()
        self._answers: OrderedDict[Asked, tuple[float, Secret | Refusal]] = OrderedDict()
        self._round = 0

    def recall(self, asked: Asked, ask: Callable[[], Secret]) -> Secret:
        """The answer remembered, else what `ask` gives. Raises the refusal, remembered or new.

        What was asked before a `forget` and answered after it is not kept: it may be what was to be forgotten.
        """
        with self._lock:
            until, answer = self._answers.get(asked, (0.0, None))
            if answer is not None and self._clock() < until:
                self._answers.move_to_end(asked)
                return _told(answer)
            begun = self._round
        try:
            answer = ask()
        except (KeyMissing, KeysDisabled) as refusal:
            answer = refusal
        with self._lock:
            if begun == self._round:
                self._keep(asked, answer)
        return _told(answer)

    def forget(self) -> None:
        """Remember nothing: what is asked next is asked of the keeper."""
        with self._lock:
            self._answers.clear()
            self._round += 1

    def _keep(self, asked: Asked, answer: Secret | Refusal) -> None:
        lasts = OPENED_FOR if isinstance(answer, Secret) else REFUSED_FOR
        self._answers[asked] = (self._clock() + lasts, answer)
        self._answers.move_to_end(asked)
        while len(self._answers) > self._limit:
            self._answers.popitem(last=False)


def _told(answer: Secret | Refusal) -> Secret:
    if isinstance(answer, Secret):
        return answer
    raise type(answer)(answer.message)  # a new one: an exception that is raised twice grows its traceback
