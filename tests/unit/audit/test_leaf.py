"""A leaf: any change changes its hash; what is personal can be forgotten without breaking it."""

import hashlib
import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audit.leaf import (
    FIRST_FORMAT,
    TrailValueUnfit,
    canonical,
    commit,
    commit_entry,
    field_keys,
    find_commitments,
    hash_leaf,
    leaf_bytes,
    leaf_entry,
    make_leaf,
)
from app.kernel.marks import TrailFacts

SALT = "11" * 32
OTHER_SALT = "22" * 32
FIRST_HASH = "d512ca24fcfea459b517c15949aaee33beb7d83f35ce78ca23a7d0c4d9a7a80a"
FACTS = TrailFacts(
    id=UUID(int=1),
    tenant_id=UUID(int=2),
    at=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
    actor_kind="person",
    actor_id=UUID(int=3),
    actor_name="Ann Example",
    on_behalf_of=None,
    action="onboarding.task.completed",
    subject_kind="task",
    subject_id=UUID(int=4),
    onboarding_id=None,
    reason="Customer called: Jean is on leave",
    trace_id="0123456789abcdef",
    body={"task": "kickoff", "count": 3, "name": "Jean Müller", "email": "jean@example.com"},
    personal=frozenset({"name", "email"}),
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner)
    ),
    max_leaves=8,
)
BODIES = st.dictionaries(st.sampled_from(["task", "name", "email", "note", "list"]), JSON, max_size=5)
CHANGES: dict[str, Any] = {
    "id": UUID(int=9),
    "tenant_id": UUID(int=9),
    "at": FACTS.at + timedelta(microseconds=1),
    "actor_kind": "job",
    "actor_id": UUID(int=9),
    "actor_name": "Ann Other",
    "onboarding_id": UUID(int=9),
    "on_behalf_of": UUID(int=9),
    "action": "onboarding.task.reopened",
    "subject_kind": "milestone",
    "subject_id": UUID(int=9),
    "reason": "Customer called: Jean is at lunch",
    "trace_id": "f123456789abcdef",
    "body": FACTS.body | {"count": 4},
    "personal": frozenset({"name"}),
}


def leaf_hash(facts, salt=SALT):
    return hash_leaf(leaf_bytes(commit_entry(facts, salt)))


class TestLeaf:
    def test_every_field_counts(self):
        assert set(CHANGES) == {field.name for field in fields(TrailFacts)}
        hashes = {name: leaf_hash(replace(FACTS, **{name: value})) for name, value in CHANGES.items()}
        assert len({leaf_hash(FACTS), *hashes.values()}) == len(CHANGES) + 1

    @given(BODIES, BODIES)
    def test_two_bodies_have_one_hash_only_when_they_are_the_same(self, one, other):
        same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
        first, second = (leaf_hash(replace(FACTS, body=body)) for body in (one, other))
        assert (first == second) == same

    @given(BODIES)
    def test_is_the_same_after_the_database_gives_it_back(self, body):
        facts = replace(FACTS, body=body)
        again = replace(facts, body=dict(reversed(json.loads(json.dumps(body)).items())))
        assert leaf_hash(again) == leaf_hash(facts)

    def test_is_the_same_in_every_zone(self):
        elsewhere = FACTS.at.astimezone(timezone(timedelta(hours=5, minutes=30)))
        assert leaf_hash(replace(FACTS, at=elsewhere)) == leaf_hash(FACTS)

    def test_is_the_hash_of_rfc_6962_over_canonical_json(self):
        content = leaf_bytes(commit_entry(FACTS, SALT))
        read = json.loads(content)
        assert content == json.dumps(read, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        assert read["at"] == "2026-11-21T12:00:00.000000Z"
        assert hash_leaf(content) == hashlib.sha256(b"\x00" + content).hexdigest()
        # RFC 6962's own: the hash of an empty leaf
        assert hash_leaf(b"") == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"

    @given(JSON | st.dictionaries(st.text(), st.floats(1 - 2**53, 2**53 - 1) | JSON))
    def test_is_written_as_rfc_8785_says_whichever_way_is_taken(self, value):
        assert canonical(value) == rfc8785.dumps(value)

    def test_has_never_changed(self):
        """A recorded hash of each format: whoever changes one breaks every stored trail, and raises FORMAT."""
        assert leaf_hash(FACTS) == "91cb3c7946b45df7127ee66ba2fde183b869a9be132a798fa6567423d9efe119"
        first = commit_entry(FACTS, SALT, version=FIRST_FORMAT)
        assert hash_leaf(leaf_bytes(first)) == FIRST_HASH

    def test_of_the_first_format_tells_by_its_hash_what_was_personal(self):
        found = find_commitments(replace(FACTS, personal=frozenset()), SALT, FIRST_HASH)
        assert found is not None
        assert found["v"] == FIRST_FORMAT
        assert set(found["commitments"]) == {"reason", "body.name", "body.email"}
        assert find_commitments(replace(FACTS, trace_id="other"), SALT, FIRST_HASH) is None

    def test_gets_a_salt_of_its_own(self):
        made = [make_leaf(FACTS) for _ in range(20)]
        assert len({one.salt for one in made}) == len({one.leaf_hash for one in made}) == 20
        assert all(leaf_hash(FACTS, one.salt) == one.leaf_hash for one in made)

    def test_is_made_again_from_what_its_row_keeps(self):
        made = make_leaf(FACTS)
        assert made.personal["v"] == 2
        kept = leaf_entry(FACTS, made.personal["commitments"])
        assert hash_leaf(leaf_bytes(kept)) == made.leaf_hash

    @pytest.mark.parametrize(
        "value", [2**53, -(2**60), float("nan"), float("inf"), 1e300, "\ud800", {"\ud800": 1}, {1: 2}, b"x"]
    )
    def test_refuses_what_would_not_come_back_the_same(self, value):
        bodies: list[dict[str, object]] = [{"task": value}, {"name": value}, {"task": [{"deep": value}]}]
        for body in bodies:
            with pytest.raises(TrailValueUnfit):
                leaf_hash(replace(FACTS, body=body))

    def test_refuses_a_time_without_zone(self):
        with pytest.raises(TrailValueUnfit, match="zone"):
            leaf_hash(replace(FACTS, at=FACTS.at.replace(tzinfo=None)))

    def test_refuses_a_body_without_bottom(self):
        deep: dict[str, object] = {}
        for _ in range(5000):
            deep = {"a": deep}
        with pytest.raises(TrailValueUnfit):
            leaf_hash(replace(FACTS, body=deep))


def confirms(entry, salt, name, value):
    """Whether the leaf's commitment of the body's personal field `name` is of this value."""
    path = f"body.{name}"
    return entry.personal.get(path) == commit(field_keys(salt, {path: 0})[path], entry.id, path, value)


class TestPersonalValues:
    def test_are_not_in_the_leaf(self):
        content = leaf_bytes(commit_entry(FACTS, SALT)).decode()
        assert not [word for word in ("Jean", "Müller", "example.com", "leave") if word in content]
        assert "kickoff" in content

    def test_are_confirmed_with_the_salt(self):
        entry = commit_entry(FACTS, SALT)
        assert confirms(entry, SALT, "name", "Jean Müller")
        assert not confirms(entry, SALT, "name", "Jean Muller")
        assert not confirms(entry, SALT, "email", "Jean Müller")
        assert not confirms(entry, SALT, "task", "kickoff")

    @settings(max_examples=50)
    @given(st.binary(min_size=32, max_size=32).map(bytes.hex))
    def test_are_confirmed_by_no_other_salt(self, guess):
        entry = commit_entry(FACTS, SALT)
        assert confirms(entry, guess, "name", "Jean Müller") == (guess == SALT)

    def test_can_be_erased_and_the_leaf_still_verifies(self):
        entry = commit_entry(FACTS, SALT)
        kept = json.loads(leaf_bytes(entry))  # all that is left once values and salt are gone
        erased = replace(entry, personal=kept["personal"])
        assert hash_leaf(leaf_bytes(erased)) == leaf_hash(FACTS)

    def test_look_different_in_every_entry_and_field(self):
        twins = replace(FACTS, body={"name": "Jean", "email": "Jean"}, reason="Jean")
        entry, next_entry = commit_entry(twins, SALT), commit_entry(replace(twins, id=UUID(int=8)), SALT)
        seen = {*entry.personal.values(), *next_entry.personal.values()}
        assert len(seen) == 8  # with the names of who acted
        assert commit(OTHER_SALT, twins.id, "body.name", "Jean") not in seen

    def test_have_keys_of_their_own(self):
        """Who is told one of them learns nothing of the others, so one can be destroyed and the others confirmed."""
        keys = field_keys(SALT, commit_entry(FACTS, SALT).personal)
        assert set(keys) == {"actor_name", "reason", "body.name", "body.email"}
        assert len({SALT, *keys.values()}) == 5

    def test_absence_is_as_hidden_as_presence(self):
        entry = commit_entry(replace(FACTS, body={"name": None, "email": ""}), SALT)
        assert {len(found) for found in entry.personal.values()} == {64}
        assert "reason" not in commit_entry(replace(FACTS, reason=None), SALT).personal

    @given(JSON, JSON)
    def test_confirm_one_value_only(self, one, other):
        entry = commit_entry(replace(FACTS, body={"name": one}), SALT)
        same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
        assert confirms(entry, SALT, "name", other) == same
