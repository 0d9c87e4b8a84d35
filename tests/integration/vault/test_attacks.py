"""Rows moved about, another tenant's keys, an older copy of everything: none of it opens anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.kernel.work import open_work
from app.vault.envelope import SecretUnreadable
from app.vault.keepers.wrapping import KeyMissing
from app.vault.operations import destroy_keys
from app.vault.queries import KeysMissing, keys_in_use
from app.vault.tenant_keys import open_dek, reseal
from tests.factories.installation import person
from tests.factories.main_job import MainJob
from tests.fixtures.vault import Mount
from tests.integration.vault.conftest import Place, make_place, with_keyring

CLOSED = (SecretUnreadable, KeysMissing, KeyMissing)
SWAP = "UPDATE {}.secret a SET sealed = b.sealed FROM {}.secret b WHERE a.field = 'field-0' AND b.field = 'field-1'"
COLUMNS = "id, kind, purpose, field, key_version, sealed, set_by, set_at"


def change(place: Place, statement: str) -> None:
    """Change the tenant's rows behind the product's back."""
    place.shop.installation.rows(place.tenant, statement)


def copy_rows(victim: Place, thief: Place, where: str, *, columns: str = COLUMNS) -> None:
    """Put the victim's rows beside the thief's own, in place of those of the same kind."""
    target, source = (f'"{place.tenant.schema}".secret' for place in (thief, victim))
    victim.shop.installation.cell(f"DELETE FROM {target} WHERE {where}")  # noqa: S608 - our own schemas
    chosen = f"SELECT {columns} FROM {source} WHERE {where}"  # noqa: S608 - our own schemas
    victim.shop.installation.cell(f"INSERT INTO {target} ({COLUMNS}) {chosen}")


class TestACopiedRow:
    @pytest.mark.parametrize("kind", ["connection", "door"])
    def test_does_not_open_in_another_tenant(self, shop: MainJob, place: Place, kind: str):
        thief = make_place(shop)
        moved = COLUMNS.replace("purpose", f"'{thief.connection}'") if kind == "connection" else COLUMNS
        copy_rows(place, thief, f"kind = '{kind}'", columns=moved)
        with pytest.raises(CLOSED):
            thief.opened()

    def test_does_not_open_with_the_keys_copied_along(self, shop: MainJob, place: Place):
        thief = make_place(shop)
        copy_rows(
            place,
            thief,
            "true",
            columns=COLUMNS.replace("purpose", f"replace(purpose, '{place.connection}', '{thief.connection}')"),
        )
        with pytest.raises(CLOSED):
            thief.opened()
        with thief.shop.installation.work(thief.tenant) as work:
            stolen = keys_in_use(work).newest
        with pytest.raises(SecretUnreadable):
            open_dek(thief.keyring, stolen, thief.tenant.id)

    @pytest.mark.parametrize(
        "move",
        [
            "UPDATE {}.secret SET field = 'moved' WHERE field = 'field-0'",
            SWAP,
            "UPDATE {}.secret SET id = gen_random_uuid() WHERE field = 'field-0'",
            "UPDATE {}.secret SET key_version = 2 WHERE field = 'field-0'",
            "UPDATE {}.secret SET key_version = 0 WHERE field = 'field-0'",
            "UPDATE {}.secret a SET sealed = b.sealed FROM {}.secret b WHERE a.kind = 'door' AND b.field = 'field-0'",
            "UPDATE {}.secret SET purpose = 'oidc_client' WHERE kind = 'door'",
        ],
        ids=["column", "value", "row", "newer version", "older version", "class", "purpose"],
    )
    def test_does_not_open_elsewhere_in_its_tenant(self, place: Place, move: str):
        change(place, move)
        with pytest.raises((*CLOSED, ValueError)):  # no door secret is left where its purpose was changed
            place.opened()

    def test_does_not_open_in_the_other_version_of_a_rotation(self, place: Place):
        before = place.shop.installation.rows(place.tenant, "SELECT field, sealed FROM {}.secret WHERE kind <> 'keys'")
        place.rotate()
        place.shop.finish()
        for row in before:
            place.shop.installation.rows(
                place.tenant, "UPDATE {}.secret SET sealed = %s WHERE field = %s", row.sealed, row.field
            )
        with pytest.raises(CLOSED):
            place.opened()

    def test_is_not_made_valid_by_a_rotation(self, place: Place):
        change(
            place,
            SWAP,
        )
        place.rotate()
        place.shop.finish()
        with pytest.raises(CLOSED):
            place.opened()


class TestAnotherTenantsKeys:
    def test_read_nothing_of_an_export(self, shop: MainJob, place: Place):
        """Whoever has the rows of one tenant and the keys of another has nothing."""
        thief = make_place(shop)
        with shop.installation.work(thief.tenant) as work:
            theirs = keys_in_use(work).newest
        with open_work(place.runtime, place.tenant, person(), trace_id="export") as work:
            ours = keys_in_use(work).newest
        for keys, tenant in ((theirs, place.tenant), (ours, thief.tenant)):
            with pytest.raises(SecretUnreadable):
                open_dek(place.keyring, keys, tenant.id)


@pytest.fixture(params=["folder", "vault"])
def doomed(request: pytest.FixtureRequest, shop: MainJob, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A customer whose keys are kept in either way."""
    if request.param == "folder":
        yield make_place(shop)
        return
    mount: Mount = request.getfixturevalue("mount")
    keyring = replace(shop.runtime.service(type(make_place(shop).keyring)), wrapping=mount.keys())
    runtime = with_keyring(shop, keyring)
    monkeypatch.setattr(shop.installation, "runtime", runtime)
    yield make_place(shop, runtime)


class TestAnErasedTenant:
    def test_yields_nothing_to_an_older_copy_of_the_database_and_todays_keys(self, doomed: Place):
        doomed.rotate()  # keys of two versions, in the copy too
        doomed.shop.run()
        copy = doomed.shop.installation.rows(doomed.tenant, f"SELECT {COLUMNS} FROM {{}}.secret")  # noqa: S608 - a constant
        assert doomed.opened() == doomed.values
        with doomed.shop.installation.work(doomed.tenant) as work:
            destroy_keys(work, doomed.keyring, reason="the customer has left")
        with pytest.raises(KeyMissing, match="destroyed"):
            doomed.opened()
        self._restore(doomed, copy)
        with pytest.raises(KeyMissing, match="destroyed"):
            doomed.opened()
        with doomed.shop.installation.work(doomed.tenant) as work:
            keys = keys_in_use(work)
        for version in keys.by_version.values():
            with pytest.raises(KeyMissing):
                open_dek(doomed.keyring, version, doomed.tenant.id)

    def test_is_destroyed_once_and_says_when_that_holds_for_every_backup(self, place: Place):
        keyring, times = replace(place.keyring, backup_days=30), []
        for _call in range(2):
            with place.shop.installation.work(place.tenant) as work:
                times.append((destroy_keys(work, keyring, reason="left"), work.database_now))
        (first, now), (second, _later) = times
        assert first == second == now + timedelta(days=30)
        assert place.trail() == ["destroyed"]

    def test_is_effective_at_once_where_no_backups_are_kept(self, place: Place):
        with place.shop.installation.work(place.tenant) as work:
            assert destroy_keys(work, place.keyring, reason="left") == work.database_now
        assert "keys" in place.shop.installation.wake.topics or "keys" in place.runtime.wake.topics  # type: ignore[attr-defined]  # a list in tests

    def _restore(self, place: Place, copy: list[Any]) -> None:
        place.shop.installation.rows(place.tenant, "DELETE FROM {}.secret")
        for row in copy:
            values = ", ".join(["%s"] * len(row))
            place.shop.installation.rows(place.tenant, f"INSERT INTO {{}}.secret ({COLUMNS}) VALUES ({values})", *row)  # noqa: S608 - constants


def test_a_secret_is_not_resealed_outside_a_worker(place: Place):
    with place.shop.installation.work(place.tenant) as work:
        keys = keys_in_use(work).newest
    web = replace(place.keyring, worker_private=None)
    from app.vault.keyring import NotOpenedHere
    from app.vault.rules import SecretContext

    with pytest.raises(NotOpenedHere):
        reseal(web, (keys, keys), SecretContext(place.tenant.id, place.connection, "x"), b"")
