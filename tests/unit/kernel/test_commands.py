"""What an idempotency key stands for."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from app.kernel.commands import fingerprint

bodies = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


class TestFingerprint:
    @given(st.text(), st.dictionaries(st.text(), bodies, max_size=4))
    def test_does_not_depend_on_the_order_of_fields(self, route, body):
        assert fingerprint(route, body) == fingerprint(route, dict(reversed(body.items())))

    @given(bodies, bodies)
    def test_tells_bodies_apart(self, one, other):
        assume(repr(one) != repr(other) and one != other)
        assert fingerprint("r", one) != fingerprint("r", other)

    def test_tells_routes_from_bodies(self):
        assert fingerprint("a", "b") != fingerprint("b", "a")
        assert fingerprint("a,b", None) != fingerprint("a", "b")

    def test_takes_what_doors_parse(self):
        body = {"id": UUID(int=1), "at": datetime(2026, 1, 1, tzinfo=UTC)}
        assert fingerprint("r", body) == fingerprint("r", dict(body))
