"""One suite for every keeper of wrapping keys: the folder, and a real OpenBao. What one promises, the other holds."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.vault.envelope import SecretUnreadable
from app.vault.keepers.local_keys import LocalKeys, make_private_folder
from app.vault.keepers.wrapping import KeyMissing, KeysDisabled, KeyState, WrappingKeys
from app.vault.secret import Secret
from tests.fixtures.vault import Mount

KEY = Secret(b"k" * 32)
Keeper = Callable[[], WrappingKeys]


@pytest.fixture(params=["folder", "vault"])
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> Keeper:
    """Gives the keeper anew, as another program would have it: nothing remembered."""
    if request.param == "folder":
        make_private_folder(tmp_path / "keys")
        return lambda: LocalKeys(tmp_path / "keys")
    mount: Mount = request.getfixturevalue("mount")
    return mount.keys


@pytest.fixture
def acme(keeper: Keeper) -> UUID:
    tenant = uuid4()
    keeper().create(tenant)
    return tenant


class TestWrapping:
    def test_gives_back_what_was_wrapped_to_any_program(self, keeper, acme):
        wrapped = keeper().wrap(acme, KEY, purpose="dek:1")
        assert KEY.reveal_bytes() not in wrapped
        assert keeper().unwrap(acme, wrapped, purpose="dek:1") == KEY

    def test_is_bound_to_tenant_and_purpose(self, keeper, acme):
        other = uuid4()
        keeper().create(other)
        wrapped = keeper().wrap(acme, KEY, purpose="dek:1")
        for tenant, purpose in ((other, "dek:1"), (acme, "dek:2"), (acme, "dek:1\x00"), (acme, "")):
            for attempt in (keeper().unwrap, keeper().rewrap):
                with pytest.raises(SecretUnreadable):
                    attempt(tenant, wrapped, purpose=purpose)

    def test_notices_damage(self, keeper, acme):
        wrapped = keeper().wrap(acme, KEY, purpose="dek:1")
        middle = len(wrapped) // 2
        turned = wrapped[:middle] + bytes([wrapped[middle] ^ 1]) + wrapped[middle + 1 :]
        for broken in (b"", b"\xff\xfe", wrapped[:-8], turned, wrapped + b"AAAA"):
            with pytest.raises(SecretUnreadable):
                keeper().unwrap(acme, broken, purpose="dek:1")

    def test_is_refused_without_a_key_and_makes_none(self, keeper):
        nobody = uuid4()
        for attempt in (
            lambda: keeper().wrap(nobody, KEY, purpose="dek:1"),
            lambda: keeper().newest(nobody),
            lambda: keeper().rotate(nobody, beyond=0),
            lambda: keeper().disable(nobody),
            lambda: keeper().enable(nobody),
        ):
            with pytest.raises(KeyMissing, match="no key"):
                attempt()
        assert nobody not in keeper().states()

    def test_by_many_creators_at_once_makes_one_key(self, keeper):
        tenant = uuid4()

        def create_and_wrap(_number: int) -> bytes:
            mine: WrappingKeys = keeper()
            mine.create(tenant)
            return mine.wrap(tenant, KEY, purpose="dek:1")

        with ThreadPoolExecutor(4) as pool:
            wrapped = list(pool.map(create_and_wrap, range(8)))
        assert all(keeper().unwrap(tenant, one, purpose="dek:1") == KEY for one in wrapped)
        assert keeper().newest(tenant) == 1


class TestVersions:
    def test_newest_wraps_and_older_open_until_they_are_retired(self, keeper, acme):
        first = keeper().wrap(acme, KEY, purpose="dek:1")
        assert keeper().rotate(acme, beyond=1) == 2
        assert keeper().unwrap(acme, first, purpose="dek:1") == KEY
        second = keeper().rewrap(acme, first, purpose="dek:1")
        assert [keeper().version_of(one) for one in (first, second)] == [1, 2]
        assert keeper().version_of(keeper().wrap(acme, KEY, purpose="dek:2")) == 2
        keeper().retire(acme, below=2)
        keeper().retire(acme, below=2)
        assert keeper().unwrap(acme, second, purpose="dek:1") == KEY
        for attempt in (keeper().unwrap, keeper().rewrap):
            with pytest.raises(KeyMissing, match="older than the last rotation"):
                attempt(acme, first, purpose="dek:1")

    def test_are_added_once_however_often_asked(self, keeper, acme):
        assert [keeper().rotate(acme, beyond=1) for _ in range(3)] == [2, 2, 2]
        assert keeper().rotate(acme, beyond=2) == 3

    def test_never_retire_the_newest(self, keeper, acme):
        keeper().rotate(acme, beyond=1)
        wrapped = keeper().wrap(acme, KEY, purpose="dek:1")
        keeper().retire(acme, below=99)
        assert keeper().unwrap(acme, wrapped, purpose="dek:1") == KEY
        assert keeper().rotate(acme, beyond=2) == 3


class TestSwitch:
    def test_closes_everything_and_opens_it_again(self, keeper, acme):
        wrapped = keeper().wrap(acme, KEY, purpose="dek:1")
        keeper().disable(acme)
        keeper().disable(acme)
        assert keeper().states()[acme] is KeyState.DISABLED
        for attempt in (
            lambda: keeper().unwrap(acme, wrapped, purpose="dek:1"),
            lambda: keeper().rewrap(acme, wrapped, purpose="dek:1"),
            lambda: keeper().wrap(acme, KEY, purpose="dek:1"),
            lambda: keeper().rotate(acme, beyond=99),
            lambda: keeper().retire(acme, below=99),
        ):
            with pytest.raises(KeysDisabled):
                attempt()
        keeper().create(acme)  # a creator that comes late opens nothing
        with pytest.raises(KeysDisabled):
            keeper().unwrap(acme, wrapped, purpose="dek:1")
        keeper().enable(acme)
        keeper().enable(acme)
        assert keeper().states()[acme] is KeyState.ACTIVE
        assert keeper().unwrap(acme, wrapped, purpose="dek:1") == KEY

    def test_leaves_other_tenants_alone(self, keeper, acme):
        other = uuid4()
        keeper().create(other)
        wrapped = keeper().wrap(other, KEY, purpose="dek:1")
        keeper().disable(acme)
        assert keeper().unwrap(other, wrapped, purpose="dek:1") == KEY

    def test_survives_a_rotation_before_and_one_after(self, keeper, acme):
        keeper().rotate(acme, beyond=1)
        keeper().retire(acme, below=2)
        wrapped = keeper().wrap(acme, KEY, purpose="dek:1")
        keeper().disable(acme)
        with pytest.raises(KeysDisabled):
            keeper().unwrap(acme, wrapped, purpose="dek:1")
        keeper().enable(acme)
        newest = keeper().newest(acme)
        keeper().rotate(acme, beyond=newest)
        again = keeper().rewrap(acme, wrapped, purpose="dek:1")
        keeper().retire(acme, below=newest + 1)
        assert keeper().unwrap(acme, again, purpose="dek:1") == KEY


class TestDestruction:
    def test_is_for_good_and_repeatable(self, keeper, acme):
        wrapped = keeper().wrap(acme, KEY, purpose="dek:1")
        keeper().destroy(acme)
        keeper().destroy(acme)
        assert keeper().states()[acme] is KeyState.DESTROYED
        for attempt in (
            lambda: keeper().unwrap(acme, wrapped, purpose="dek:1"),
            lambda: keeper().rewrap(acme, wrapped, purpose="dek:1"),
            lambda: keeper().wrap(acme, KEY, purpose="dek:1"),
            lambda: keeper().create(acme),
            lambda: keeper().enable(acme),
            lambda: keeper().disable(acme),
            lambda: keeper().rotate(acme, beyond=1),
        ):
            with pytest.raises(KeyMissing, match="destroyed"):
                attempt()
        assert keeper().states()[acme] is KeyState.DESTROYED

    def test_works_on_a_disabled_key_and_on_none(self, keeper, acme):
        nobody = uuid4()
        keeper().disable(acme)
        for tenant in (acme, nobody):
            keeper().destroy(tenant)
            assert keeper().states()[tenant] is KeyState.DESTROYED
            with pytest.raises(KeyMissing, match="destroyed"):
                keeper().create(tenant)

    def test_wins_against_creators_at_the_same_time(self, keeper):
        tenants = [uuid4() for _ in range(6)]

        def create(tenant: UUID) -> None:
            try:
                keeper().create(tenant)
            except KeyMissing:
                return

        with ThreadPoolExecutor(4) as pool:
            for tenant in tenants:
                done = [pool.submit(create, tenant), pool.submit(keeper().destroy, tenant)]
                assert [one.result() for one in done] == [None, None]
        assert {keeper().states()[tenant] for tenant in tenants} == {KeyState.DESTROYED}
