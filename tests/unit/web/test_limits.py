"""The limiter alone: whom it counts together, what it says, and that a Redis that is away opens no door."""

from __future__ import annotations

import re

import pytest

from app.web.guard.limits import Limiter, Quota, sender_of
from tests.cluster import cluster

FEW = Quota("few", 3, 3600)


@pytest.fixture(scope="module")
def redis_url() -> str:
    return cluster().fresh_redis_url()


@pytest.fixture
def limiter(redis_url: str, request: pytest.FixtureRequest) -> Limiter:
    return Limiter(redis_url, key=request.node.name.encode())


class TestTake:
    def test_stops_a_sender_at_its_amount(self, limiter):
        assert [limiter.take(FEW, "ann").allowed for _ in range(5)] == [True, True, True, False, False]

    def test_counts_every_sender_and_every_quota_alone(self, limiter):
        for _ in range(4):
            limiter.take(FEW, "ann")
        assert limiter.take(FEW, "ben").allowed
        assert limiter.take(Quota("others", 3, 3600), "ann").allowed

    def test_says_what_is_left_and_when_there_is_more(self, limiter):
        headers = limiter.take(FEW, "ann").headers()
        assert headers["ratelimit-policy"] == '"few";q=3;w=3600'
        assert re.fullmatch(r'"few";r=2;t=\d+', headers["ratelimit"])

    def test_counts_over_all_processes(self, limiter, redis_url, request):
        other = Limiter(redis_url, key=request.node.name.encode())
        taken = [each.take(FEW, "ann").allowed for each in (limiter, other, limiter, other)]
        assert taken == [True, True, True, False]

    def test_multiplies_by_the_scale(self, redis_url):
        limiter = Limiter(redis_url, scale=2, key=b"scaled")
        assert sum(limiter.take(FEW, "ann").allowed for _ in range(10)) == 6

    def test_counts_alone_where_redis_is_away(self):
        limiter = Limiter("redis://127.0.0.1:1/0")
        assert [limiter.take(FEW, "ann").allowed for _ in range(5)] == [True, True, True, False, False]

    def test_keeps_nothing_readable_of_a_sender(self, limiter, redis_url):
        import redis

        limiter.take(FEW, "203.0.113.9")
        with redis.Redis.from_url(redis_url) as client:
            assert not [key for key in client.scan_iter() if b"203.0.113" in key]


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("not an address", "unknown"),
        (None, "unknown"),
    ],
)
def test_counts_a_network_of_ipv6_as_one_sender(address, counted):
    assert sender_of(address) == counted
