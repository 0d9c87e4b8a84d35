"""Sealing and opening with a tenant's keys: only in the right place, by the right program, and not after a shred."""

import traceback
from dataclasses import fields, replace
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.vault.envelope import SecretUnreadable, place_of
from app.vault.keepers.wrapping import KeyMissing
from app.vault.keyring import NotOpenedHere, create_keyring, open_keyring
from app.vault.rules import CONNECTION, OPENERS, DoorPurpose, Program, SecretContext, can_open
from app.vault.secret import Secret
from app.vault.tenant_keys import (
    TenantKeys,
    make_tenant_keys,
    next_tenant_keys,
    open_connection_secret,
    open_dek,
    open_door_secret,
    seal_connection_secret,
    seal_door_secret,
)

ACME = UUID("0192d000-0000-7000-8000-00000000acde")
NORTHWIND = UUID("0192d000-0000-7000-8000-0000000000ff")
ROW = UUID("0192d000-0000-7000-8000-000000000001")
CANARY = "canary-91bd-battery-staple"
CONNECTION_PLACE = SecretContext(ACME, ROW, "access_token")
DOOR_PLACE = SecretContext(ACME, ROW, "client_secret", DoorPurpose.WEBHOOK_VERIFICATION)
ELSEWHERE = [{"tenant_id": NORTHWIND}, {"secret_id": uuid4()}, {"field": "other"}, {"field": ""}]


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    """Keyrings and keys shared by the tests that change nothing."""
    top = tmp_path_factory.mktemp("vault")
    pair = top / "keyring", top / "worker"
    create_keyring(*pair)
    web, worker = open_keyring(Program.WEB, pair[0]), open_keyring(Program.WORKER, *pair)
    keys = make_tenant_keys(web, ACME)
    make_tenant_keys(web, NORTHWIND)
    connection = seal_connection_secret(keys, CONNECTION_PLACE, Secret(CANARY))
    return web, worker, keys, connection, seal_door_secret(web, keys, DOOR_PLACE, Secret(CANARY))


class TestConnectionSecret:
    def test_is_written_by_the_web_program_and_read_by_a_worker(self, rig):
        _web, worker, keys, sealed, _door = rig
        assert open_connection_secret(worker, keys, CONNECTION_PLACE, sealed).reveal() == CANARY

    def test_is_not_readable_for_the_web_program(self, rig):
        web, _worker, keys, sealed, _door = rig
        for program in Program:  # also when it says it is somebody else: the key is not there
            with pytest.raises(NotOpenedHere):
                open_connection_secret(replace(web, program=program), keys, CONNECTION_PLACE, sealed)

    def test_is_not_readable_with_another_worker_key(self, rig, tmp_path):
        web, _worker, keys, sealed, _door = rig
        create_keyring(tmp_path / "k", tmp_path / "w")
        other = open_keyring(Program.WORKER, tmp_path / "k", tmp_path / "w")
        with pytest.raises(SecretUnreadable):
            open_connection_secret(replace(other, wrapping=web.wrapping), keys, CONNECTION_PLACE, sealed)

    @pytest.mark.parametrize("other", [*ELSEWHERE, {"purpose": "crm"}])
    def test_does_not_open_elsewhere(self, rig, other):
        _web, worker, keys, sealed, _door = rig
        with pytest.raises((SecretUnreadable, NotOpenedHere)):
            open_connection_secret(worker, keys, replace(CONNECTION_PLACE, **other), sealed)

    def test_does_not_open_under_another_version(self, rig):
        web, worker, keys, sealed, _door = rig
        with pytest.raises(SecretUnreadable):
            open_connection_secret(worker, next_tenant_keys(web, ACME, version=2), CONNECTION_PLACE, sealed)
        with pytest.raises(SecretUnreadable):
            open_connection_secret(worker, replace(keys, version=2), CONNECTION_PLACE, sealed)

    def test_never_twice_the_same_bytes(self, rig):
        keys = rig[2]
        assert len({seal_connection_secret(keys, CONNECTION_PLACE, Secret("a")) for _ in range(50)}) == 50

    def test_holds_nothing_and_much(self, rig):
        worker, keys = rig[1], rig[2]
        for value in (b"", b"\x00" * 3, b"x" * 1_000_000):
            sealed = seal_connection_secret(keys, CONNECTION_PLACE, Secret(value))
            assert open_connection_secret(worker, keys, CONNECTION_PLACE, sealed) == Secret(value)

    @settings(max_examples=60)
    @given(st.data())
    def test_notices_any_damage(self, rig, data):
        _web, worker, keys, sealed, _door = rig
        with pytest.raises(SecretUnreadable):
            open_connection_secret(worker, keys, CONNECTION_PLACE, damaged(data, sealed))

    def test_is_no_door_secret(self, rig):
        with pytest.raises(NotOpenedHere):
            seal_connection_secret(rig[2], DOOR_PLACE, Secret(CANARY))


class TestDoorSecret:
    def test_is_opened_by_the_program_that_guards_the_door(self, rig):
        web, worker, keys, _connection, sealed = rig
        assert open_door_secret(web, keys, DOOR_PLACE, sealed).reveal() == CANARY
        with pytest.raises(NotOpenedHere):
            open_door_secret(worker, keys, DOOR_PLACE, sealed)

    def test_every_purpose_names_its_openers(self):
        assert set(OPENERS) == set(DoorPurpose)
        assert all(OPENERS.values())
        assert [program for program in Program if can_open(program, CONNECTION)] == [Program.WORKER]
        assert not any(can_open(program, "made up") for program in Program)

    @pytest.mark.parametrize("other", [*ELSEWHERE, {"purpose": DoorPurpose.OIDC_CLIENT}])
    def test_does_not_open_elsewhere(self, rig, other):
        web, _worker, keys, _connection, sealed = rig
        with pytest.raises(SecretUnreadable):
            open_door_secret(web, keys, replace(DOOR_PLACE, **other), sealed)

    def test_does_not_pass_for_a_connection_secret(self, rig):
        web, worker, keys, connection, sealed = rig
        with pytest.raises(SecretUnreadable):
            open_connection_secret(worker, keys, CONNECTION_PLACE, sealed)
        with pytest.raises(SecretUnreadable):
            open_door_secret(web, keys, DOOR_PLACE, connection)
        for purpose in (CONNECTION, "made up", ""):
            with pytest.raises(NotOpenedHere):
                open_door_secret(web, keys, replace(DOOR_PLACE, purpose=purpose), sealed)
            with pytest.raises(NotOpenedHere):
                seal_door_secret(web, keys, replace(DOOR_PLACE, purpose=purpose), Secret("x"))

    @settings(max_examples=100)
    @given(st.data())
    def test_notices_any_damage(self, rig, data):
        web, _worker, keys, _connection, sealed = rig
        with pytest.raises(SecretUnreadable):
            open_door_secret(web, keys, DOOR_PLACE, damaged(data, sealed))

    @given(st.tuples(st.text(max_size=6), st.text(max_size=6)), st.tuples(st.text(max_size=6), st.text(max_size=6)))
    def test_no_two_places_read_the_same(self, one, other):
        first, second = (place_of(SecretContext(ACME, ROW, *words), 1) for words in (one, other))
        assert (first.encoded("a") == second.encoded("a")) == (one == other)


class TestKeys:
    def test_another_tenants_keys_open_nothing(self, rig):
        web, worker, _keys, connection, door = rig
        theirs = make_tenant_keys(web, NORTHWIND)
        with pytest.raises(SecretUnreadable):
            open_connection_secret(worker, theirs, CONNECTION_PLACE, connection)
        with pytest.raises(SecretUnreadable):
            open_door_secret(web, theirs, DOOR_PLACE, door)
        with pytest.raises(SecretUnreadable):
            open_dek(web, theirs, ACME)

    def test_parts_of_two_versions_do_not_mix(self, rig):
        web, worker, keys, connection, _door = rig
        second = next_tenant_keys(web, ACME, version=2)
        for field in ("wrapped_dek", "wrapped_private"):
            mixed = replace(keys, **{field: getattr(second, field)})
            with pytest.raises(SecretUnreadable):
                open_connection_secret(worker, mixed, CONNECTION_PLACE, connection)

    def test_are_stored_and_read_again(self, rig):
        _web, worker, keys, connection, _door = rig
        read = msgspec.json.decode(msgspec.json.encode(keys), type=TenantKeys)
        assert read == keys
        assert open_connection_secret(worker, read, CONNECTION_PLACE, connection).reveal() == CANARY

    def test_nothing_opens_after_the_wrapping_key_is_destroyed(self, web, worker):
        keys = make_tenant_keys(web, ACME)
        sealed = seal_connection_secret(keys, CONNECTION_PLACE, Secret(CANARY))
        door = seal_door_secret(web, keys, DOOR_PLACE, Secret(CANARY))
        web.wrapping.destroy(ACME)
        with pytest.raises(KeyMissing, match="never be read"):
            open_connection_secret(worker, keys, CONNECTION_PLACE, sealed)
        with pytest.raises(KeyMissing):
            open_door_secret(web, keys, DOOR_PLACE, door)
        with pytest.raises(KeyMissing):
            next_tenant_keys(web, ACME, version=2)


class TestNobodyElseSees:
    def test_the_canary_is_in_nothing_that_is_stored(self, rig):
        _web, _worker, keys, connection, door = rig
        stored = [connection, door, *(getattr(keys, field.name) for field in fields(keys))]
        assert not any(CANARY.encode() in value for value in stored if isinstance(value, bytes))

    def test_a_traceback_with_its_variables_shows_neither_key_nor_value(self, rig, tmp_path):
        web, worker, keys, connection, door = rig
        dek = open_dek(web, keys, ACME).reveal_bytes()
        attempts = (
            lambda: open_connection_secret(worker, keys, replace(CONNECTION_PLACE, field="x"), connection),
            lambda: open_door_secret(web, keys, replace(DOOR_PLACE, field="x"), door),
            lambda: seal_connection_secret(replace(keys, public_key=b"short"), CONNECTION_PLACE, Secret(CANARY)),
        )
        for attempt in attempts:
            with pytest.raises((SecretUnreadable, ValueError)) as trouble:
                attempt()
            shown = frames_of_the_vault(trouble.value)
            assert "vault" in shown
            assert CANARY not in shown
            assert repr(dek) not in shown
            assert dek.hex() not in shown


def damaged(data, sealed):
    """Cut, flipped or lengthened somewhere."""
    kind = data.draw(st.sampled_from(["cut", "flip", "longer", "head"]))
    if kind == "cut":
        return sealed[: data.draw(st.integers(0, len(sealed) - 1))]
    if kind == "longer":
        return sealed + data.draw(st.binary(min_size=1, max_size=8))
    if kind == "head":
        return sealed[data.draw(st.integers(1, len(sealed))) :]
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    return bytes(byte ^ (1 << bit % 8) if at == bit // 8 else byte for at, byte in enumerate(sealed))


def frames_of_the_vault(trouble):
    """What a curious error reporter would keep: every frame of ours with its variables."""
    found = traceback.TracebackException.from_exception(trouble, capture_locals=True)
    ours = [frame for frame in found.stack if "vault" in Path(frame.filename).parts and "tests" not in frame.filename]
    return str(trouble) + "".join(f"{frame.filename} {frame.name} {frame.locals}" for frame in ours)
