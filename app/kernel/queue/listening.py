"""How a worker takes its messages: a ring says that there are some, and what has ended is told with the next question.

Dramatiq's own consumer sleeps up to its idle time between two looks, and each thread says by itself that its message is
done. Nothing hangs on either: what is lost of a ring costs a look, what is lost of an end costs a second message, which
finds its job done and is parked.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed
from dramatiq.middleware import TimeLimit

from app.kernel.queue.wake import PREFIX, Doorbell

_TOPIC = "messages"
RING = PREFIX + _TOPIC  # published with the messages, on the server's own line: it knows no logical databases

# What Dramatiq's own script does for one message, for many: a command each was a fifth of what a short job costs. Keys
# are those of its `dispatch.lua`: messages that this worker has taken, and what all messages of the queue hold.
_END_ALL = """
for _, message_id in ipairs(ARGV) do
    if redis.call("srem", KEYS[1], message_id) > 0 then
        redis.call("hdel", KEYS[2], message_id)
    end
end
"""


class Listener(_RedisConsumer):
    """Takes messages from one queue as soon as they are there."""

    def __init__(self, broker: ListeningBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]  # dramatiq
        self.rung = threading.Event()
        self._line = broker.client.pipeline(transaction=False)
        self._writer = broker.over(self._line)
        self._end = broker.client.register_script(_END_ALL)

    def ack(self, message: dramatiq.MessageProxy) -> None:
        """Say with the next question that this one is done: the thread that did it goes on at once."""
        was_full = self.outstanding_message_count >= self.prefetch
        self._ended.append(message.options["redis_message_id"])
        self.queued_message_ids.discard(message.message_id)
        if was_full:
            self.rung.set()

    def __next__(self) -> dramatiq.MessageProxy | None:
        """The next message; None after a while without one. Raises ConnectionClosed."""
        try:
            if not self.message_cache:
                self.rung.clear()  # who rings from here on, rings for what this look does not see
                self.message_cache = self._look()
        except redis.ConnectionError as error:
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]  # dramatiq
        if self.message_cache:
            return super().__next__()  # type: ignore[no-any-return, no-untyped-call]  # dramatiq
        self.rung.wait(self.timeout / 1000)
        return None

    def close(self) -> None:
        """Say what has ended since the last look. Raises ConnectionClosed."""
        try:
            self._tell()
        except redis.ConnectionError as error:
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]  # dramatiq

    @property
    def _ended(self) -> deque[str]:
        ended: deque[str] = self.broker.ended[self.queue_name]
        return ended

    def _look(self) -> list[bytes]:
        room = self.prefetch - self.outstanding_message_count
        if not self._ended:
            return self.broker.do_fetch(self.queue_name, room) if room > 0 else []
        return self._tell(room)

    def _tell(self, room: int = 0) -> list[bytes]:
        """Tell what has ended, and take as many messages as there is room for, in one round trip."""
        told = list(self._ended)
        if not told:
            return []
        broker = self.broker
        taken = f"{broker.namespace}:__acks__.{broker.broker_id}.{self.queue_name}"
        with self._line:  # emptied at the end, whatever happens
            self._end(keys=[taken, f"{broker.namespace}:{self.queue_name}.msgs"], args=told, client=self._line)
            if room > 0:
                self._writer.do_fetch(self.queue_name, room)
            answers = self._line.execute()
        for _message_id in told:
            self._ended.popleft()
        return answers[-1] if room > 0 else []


class ListeningBroker(RedisBroker):
    """A broker whose consumers are woken by a ring and look by themselves every `pauses` milliseconds of their queue.

    Queues for delayed messages stay empty with us and are looked at as rarely as the worker asks.
    """

    def __init__(self, *, redis_url: str, pauses: dict[str, int], client: redis.Redis, **options: Any) -> None:
        # A job's policy is in its row: of what Dramatiq does around an actor, only the limit in time is wanted.
        super().__init__(client=client, middleware=[TimeLimit()], **options)  # type: ignore[no-untyped-call]  # dramatiq
        self.ended: defaultdict[str, deque[str]] = defaultdict(deque)  # by queue; outlives a consumer's connection
        self._options = options
        self._redis_url, self._pauses = redis_url, pauses
        self._listeners: list[Listener] = []
        self._bell: Doorbell | None = None
        self._door = threading.Lock()

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5_000) -> dramatiq.Consumer:
        """What takes messages from one queue."""
        pause = self._pauses.get(queue_name)
        if pause is None:
            return super().consume(queue_name, prefetch, timeout)
        listener = Listener(self, queue_name, prefetch, min(timeout, pause))
        with self._door:
            former = [each for each in self._listeners if each.queue_name != queue_name]
            self._listeners = [*former, listener]
            self._bell = self._bell or Doorbell(self._redis_url, _TOPIC, self._rouse)
        return listener

    def over(self, client: redis.Redis) -> ListeningBroker:
        """The same broker over another connection: a pipeline, in which commands wait to be sent together.

        Of the same class, which keeps what Dramatiq has learned of its server: in a pipeline it cannot ask.
        """
        made = type(self)(redis_url=self._redis_url, pauses=self._pauses, client=client, **self._options)
        made.broker_id = self.broker_id
        return made

    def close(self) -> None:
        """Stop listening."""
        if self._bell is not None:
            self._bell.close()
        super().close()

    def _rouse(self) -> None:
        for listener in self._listeners:
            listener.rung.set()
