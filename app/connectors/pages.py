"""The HTML doors of connections: set one up, hand over its credentials. What is typed is sealed, never shown again."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from app.connectors.kit.manifest import Manifest
from app.connectors.kit.runner import Runner
from app.connectors.operations import ConnectionSetting, add_connection, list_connections
from app.kernel.work import Work
from app.vault.secret import Secret
from app.web.begin import begin_work, run_form, runtime_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page, redirect
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]


class NewConnection(Struct, frozen=True):
    """What the form sends besides the secrets, which are never part of a schema."""

    connector: Annotated[str, Meta(max_length=60, pattern="^[a-z][a-z0-9_]*$")]
    name: Annotated[str, Meta(max_length=80)]


class ConnectionPages(Controller):
    """The connections of one workspace."""

    path = "/t/{tenant_id:uuid}/connections"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[str]:
        """What is connected, and a form for each connector that is not."""
        return self._page(request, tenant_id, {}, [], status=200)

    @post("/", sync_to_thread=True)
    def add(self, request: PageRequest, tenant_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Set a connection up. The command's fingerprint leaves the secrets out: a hash of one is a hint."""
        filled = form.fill(NewConnection)
        names = self._secret_names(request, form.first("connector"))
        errors = filled.errors + [(name, mark("Fill in this field.")) for name in names or () if not form.first(name)]
        if filled.value is None or names is None or errors:
            typed = {name: value for name, value in filled.typed.items() if name in {"connector", "name"}}
            return self._page(request, tenant_id, typed, errors, status=422)
        operation = adding(filled.value, {name: Secret(form.first(name)) for name in names})
        body = {"connector": filled.value.connector, "name": filled.value.name}
        run_form(request, tenant_id, key=form.command_key, body=body, operation=operation)
        return redirect(request, f"/t/{tenant_id}/connections")

    def _secret_names(self, request: PageRequest, connector: str) -> list[str] | None:
        """The secrets that a run of this connector needs; None where there is no such connector."""
        manifest = self._manifests(request).get(connector)
        if manifest is None:
            return None
        return [name for name, secret in manifest.secrets.items() if secret.opened_by == "run"]

    def _page(
        self,
        request: PageRequest,
        tenant_id: UUID,
        typed: dict[str, Any],
        errors: list[tuple[str, str]],
        *,
        status: int,
    ) -> Response[str]:
        with begin_work(request, tenant_id) as work:
            connected = list_connections(work)
            name = work.tenant.name
        manifests = self._manifests(request)
        taken = {connection["connector"] for connection in connected}
        offers = [offer(manifest) for key, manifest in manifests.items() if key not in taken]
        context = {
            "tenant": {"name": name, "path": f"/t/{tenant_id}"},
            "connections": [connection | {"system": title_of(manifests, connection)} for connection in connected],
            "offers": offers,
            "typed": {"connector": "", "name": "", **typed},
            "errors": errors,
            "action": f"/t/{tenant_id}/connections",
            "command_key": new_command_key(),
        }
        return page(request, "connectors/connections.html", context, status=status, nav=staff_nav(request))

    @staticmethod
    def _manifests(request: PageRequest) -> dict[str, Manifest]:
        return runtime_of(request).service(Runner).registry.manifests()


def adding(wanted: NewConnection, secrets: dict[str, Secret]) -> Callable[[Work], dict[str, object]]:
    """The operation behind the form."""
    setting = ConnectionSetting(connector=wanted.connector, name=wanted.name, config={}, secrets=secrets)

    def operation(work: Work) -> dict[str, object]:
        return {"id": str(add_connection(work, setting))}

    return operation


def title_of(manifests: dict[str, Manifest], connection: dict[str, Any]) -> str:
    """How the connected system is called; the connection's own name where its connector is no longer installed."""
    manifest = manifests.get(connection["connector"])
    return manifest.title if manifest else str(connection["name"])


def offer(manifest: Manifest) -> dict[str, Any]:
    """A connector as a form: its name and one field for each secret that a run needs."""
    return {
        "connector": manifest.provider,
        "title": manifest.title,
        "secrets": [
            {
                "id": name,
                "label": secret.label,
                "type": "secret",
                "required": True,
                "help": secret.purpose,
            }
            for name, secret in manifest.secrets.items()
            if secret.opened_by == "run"
        ],
    }
