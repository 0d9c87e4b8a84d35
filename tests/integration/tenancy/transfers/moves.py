"""What the tests of exports and imports by API do: the caller's side, and the worker's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

import app.tenancy.jobs
from app.kernel.ids import new_id
from app.tenancy.operations.transferring import carrying
from app.tenancy.operations.transferring.transfers import sweep
from app.vault.bundle_keys import fingerprint_of, write_bundle_key
from app.vault.sealed_box import make_pair
from tests.factories.api import API, Caller, Said
from tests.integration.tenancy.bundles.dying import Killed

assert app.tenancy.jobs.__doc__  # its kinds of jobs are known from here on
TENANTS = "/api/v1/tenants"
FILE = "application/octet-stream"


def customer(api: API, name: str = "Acme") -> str:
    """The id of a new workspace."""
    return str(api.admin.post(TENANTS, {"name": name}).body["id"])


def own_key(api: API) -> str:
    """The bundle key of this very installation: what is exported may come back."""
    return write_bundle_key(api.safe.open().public_key)


def fingerprint(api: API) -> str:
    return fingerprint_of(api.safe.open().signer)


def some_key() -> str:
    return write_bundle_key(make_pair()[0])


def export(api: API, tenant: str, caller: Caller | None = None, *, key: str = "", **more: Any) -> Said:
    """Ask for a bundle."""
    body = {"recipient": own_key(api), "reason": "moves"} | more
    return (caller or api.admin).post(f"{TENANTS}/{tenant}/exports", body, key=key)


def upload(api: API, caller: Caller, content: bytes, *, key: str = "", **query: str) -> Said:
    """Send a bundle."""
    asked = {"sender": fingerprint(api).replace("+", "%2B"), "reason": "moves"} | query
    path = f"{TENANTS}/imports?" + "&".join(f"{name}={value}" for name, value in asked.items())
    return caller.send("POST", path, content, {"content_type": FILE, "idempotency_key": key or new_id().hex})


def work(api: API) -> list[str]:
    """What a worker does, until nothing is due. Returns the kinds of jobs that ran."""
    kinds = []
    while taken := api.installation.take():
        for item in taken:
            api.installation.run_one(item, runtime=api.worker)
            kinds.append(api.installation.job(item.job_id).kind)
    return kinds


def again(api: API) -> None:
    """The workers that had jobs are dead, and their leases over; what waits for a later try is due now."""
    api.installation.cell("UPDATE cell.job SET state = 'ready', run_at = now() WHERE finished_at IS NULL")


def killed_at(api: API, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A worker dies in the place of that step of `carrying`; the next one goes on with what it left."""

    def killed(*_given: Any, **_more: Any) -> None:
        raise Killed

    with monkeypatch.context() as cut:
        cut.setattr(carrying, step, killed)
        with pytest.raises(Killed):
            work(api)
    again(api)
    work(api)


def state(api: API, tenant: str) -> tuple[str, str]:
    """What control and the cell say."""
    [entry] = api.installation.control("SELECT state FROM control.tenant WHERE id = %s", tenant)
    [cell] = api.installation.cell("SELECT state FROM cell.tenant WHERE id = %s", tenant)
    return entry.state, cell.state


def files(api: API) -> list[str]:
    folder = api.folder.path
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def swept(api: API) -> int:
    return sweep(api.worker)


def trail(api: API, organisation: UUID) -> list[tuple[str, str, Any]]:
    """(action, actor's kind, body) of what the home's trail says of exports and imports."""
    query = "SELECT id FROM control.tenant WHERE organisation_id = %s AND kind = 'home'"
    [home] = api.installation.control(query, organisation)
    schema = api.installation.cell("SELECT schema_name FROM cell.slot WHERE tenant_id = %s", home.id)[0].schema_name
    rows = api.installation.cell(f"SELECT action, actor_kind, body, reason FROM {schema}.trail ORDER BY id")  # noqa: S608 - our own name
    told = ("tenancy.export.", "tenancy.import.", "tenancy.transfer.")
    return [(row.action, row.actor_kind, row.body | {"why": row.reason}) for row in rows if row.action.startswith(told)]
