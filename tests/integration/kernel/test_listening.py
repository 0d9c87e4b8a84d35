"""How messages reach a worker's threads: at the ring, not at the next look; ends are told with the next one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import dramatiq
import pytest
import redis
from dramatiq.common import dq_name
from dramatiq.errors import ConnectionClosed

from app.kernel.queue.broker import Broker, make_broker
from app.kernel.queue.listening import RING, Listener, ListeningBroker
from tests import cluster

PATIENCE = 20.0  # seconds, for what comes at once
NEVER = 3_600_000  # milliseconds between looks nobody rang for


@pytest.fixture
def broker() -> Iterator[Broker]:
    made = make_broker(cluster.cluster().servers.redis_url)
    made.client.flushall()
    made._pauses = {"default": NEVER}
    made.declare_queue("default")
    yield made
    made.client.flushall()
    made.close()
    made.client.close()


def message(number: int = 0) -> dramatiq.Message[None]:
    return dramatiq.Message(
        queue_name="default", actor_name="nobody", args=(number,), kwargs={}, options={}, message_id=f"m-{number}"
    )


def listener(broker: Broker, prefetch: int = 4) -> Listener:
    made = broker.consume("default", prefetch, NEVER)
    assert isinstance(made, Listener)
    return made


def take(consumer: Listener, number: int) -> list[dramatiq.MessageProxy]:
    found = [next(consumer) for _ in range(number)]
    assert all(found), found
    return [each for each in found if each is not None]


def unacknowledged(broker: Broker) -> int:
    return sum(broker.client.scard(key) for key in broker.client.scan_iter("dramatiq:__acks__.*default"))


class TestRing:
    def test_wakes_a_worker_that_would_sleep_for_an_hour(self, broker: Broker) -> None:
        consumer = listener(broker)
        found: list[dramatiq.MessageProxy | None] = []
        assert consumer.rung.wait(PATIENCE), "the line is up: whoever rings from here on is heard"

        def wait_for_one() -> None:
            while not any(found):
                found.append(next(consumer))

        waiting = threading.Thread(target=wait_for_one)
        waiting.start()
        assert broker.enqueue_all([message(1)]) == 1
        waiting.join(PATIENCE)
        assert not waiting.is_alive()
        assert len([each for each in found if each]) == 1

    def test_sounds_once_for_many_messages(self, broker: Broker) -> None:
        listener(broker)
        with broker.client.pubsub(ignore_subscribe_messages=True) as line:
            line.subscribe(RING)
            assert line.get_message(timeout=PATIENCE) is None  # that it listens from now on
            broker.enqueue_all(message(number) for number in range(50))
            assert line.get_message(timeout=PATIENCE)
            assert line.get_message(timeout=0.2) is None
        assert broker.client.llen("dramatiq:default") == 50

    def test_of_a_queue_taken_up_anew_wakes_its_new_listener_only(self, broker: Broker) -> None:
        former, later = listener(broker), listener(broker)
        former.rung.clear()
        broker._rouse()
        assert later.rung.is_set()
        assert not former.rung.is_set()

    def test_is_not_for_queues_without_a_pause_of_their_own(self, broker: Broker) -> None:
        assert not isinstance(broker.consume(dq_name("default"), 1, 50), Listener)


class TestEnds:
    def test_are_told_with_the_next_look(self, broker: Broker) -> None:
        consumer = listener(broker, prefetch=3)
        broker.enqueue_all(message(number) for number in range(4))
        taken = take(consumer, 3)
        for each in taken:
            consumer.ack(each)
        assert unacknowledged(broker) == 3
        before = broker.client.info("commandstats")["cmdstat_evalsha"]["calls"]
        assert take(consumer, 1)[0].args == (3,)
        assert unacknowledged(broker) == 1  # the one that was just taken
        assert broker.client.info("commandstats")["cmdstat_evalsha"]["calls"] - before == 2  # all three told, one look

    def test_that_make_room_ring(self, broker: Broker) -> None:
        consumer = listener(broker, prefetch=2)
        broker.enqueue_all(message(number) for number in range(2))
        first, second = take(consumer, 2)
        consumer.rung.clear()
        consumer.ack(first)
        assert consumer.rung.is_set(), "it was full, and messages may wait"
        consumer.rung.clear()
        consumer.ack(second)
        assert not consumer.rung.is_set(), "there was room before, too"

    def test_are_told_on_leaving(self, broker: Broker) -> None:
        consumer = listener(broker)
        broker.enqueue_all([message(1), message(2)])
        taken = take(consumer, 2)
        consumer.ack(taken[0])
        consumer.close()
        assert unacknowledged(broker) == 1
        consumer.requeue(taken[1:])
        assert broker.client.llen("dramatiq:default") == 1

    def test_outlive_a_lost_connection(self, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
        consumer = listener(broker)
        broker.enqueue_all([message(1)])
        consumer.ack(take(consumer, 1)[0])
        with monkeypatch.context() as away:
            away.setattr(type(consumer._line), "execute", _away)
            with pytest.raises(ConnectionClosed):
                next(consumer)
            with pytest.raises(ConnectionClosed):
                consumer.close()
        assert unacknowledged(broker) == 1
        anew = listener(broker)
        anew.close()
        assert unacknowledged(broker) == 0


def _away(*_asked: object, **_how: object) -> None:
    raise redis.ConnectionError("gone")


class TestBroker:
    def test_over_another_connection_has_the_same_name(self, broker: Broker) -> None:
        other = broker.over(broker.client)
        assert isinstance(other, ListeningBroker)
        assert other.broker_id == broker.broker_id
