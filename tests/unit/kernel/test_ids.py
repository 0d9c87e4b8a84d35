"""Ids sort by creation and are never made twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from app.kernel.ids import new_id


class TestNewId:
    def test_is_a_version_7_uuid_of_the_standard_library(self):
        made = new_id()
        assert type(made).__module__ == "uuid"
        assert (made.version, made.variant) == (7, "specified in RFC 4122")

    def test_sorts_by_creation(self):
        made = [new_id() for _ in range(10_000)]
        assert made == sorted(made)

    def test_is_never_made_twice_by_threads_at_once(self):
        with ThreadPoolExecutor(4) as threads:
            made = [one for many in threads.map(lambda _: [new_id() for _ in range(5_000)], range(4)) for one in many]
        assert len(set(made)) == 20_000
