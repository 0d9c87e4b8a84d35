"""The HTML doors of service accounts. The same in both places; what they do is in `showing`."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.identity.machines.pages import showing
from app.identity.machines.places import home_place, tenant_place
from app.web.forms import Form

PageRequest = Request[Any, Any, Any]
_ONE, _CREDENTIALS = "/{account_id:uuid}", "/{account_id:uuid}/credentials"
_ENDING = "/{account_id:uuid}/credentials/{credential_id:uuid}/ending"
_STEP = "/{account_id:uuid}/{step:str}"


class PartnerAccountPages(Controller):
    """Service accounts of the host's organisation."""

    path = "/service-accounts"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest) -> Response[str]:
        """All of them, and the form for one more."""
        return showing.show_list(home_place(request), {}, [])

    @post("/", sync_to_thread=True)
    def add(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Make one."""
        return showing.add(home_place(request), form)

    @get(_ONE, sync_to_thread=True)
    def read(self, request: PageRequest, account_id: FromPath[UUID]) -> Response[str]:
        """One account with its credentials."""
        return showing.show_account(home_place(request), account_id)

    @post(_ONE, sync_to_thread=True)
    def change(self, request: PageRequest, account_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Give it other roles and scopes."""
        return showing.change(home_place(request), account_id, form)

    @post(_CREDENTIALS, sync_to_thread=True)
    def give(self, request: PageRequest, account_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Give it a secret or a key."""
        return showing.give_credential(home_place(request), account_id, form)

    @get(_STEP, sync_to_thread=True)
    def ask(self, request: PageRequest, account_id: FromPath[UUID], step: FromPath[str]) -> Response[str]:
        """Ask before it is stopped, let go on or removed."""
        return showing.ask(home_place(request), account_id, step)

    @post(_STEP, sync_to_thread=True)
    def do(
        self, request: PageRequest, account_id: FromPath[UUID], step: FromPath[str], form: NamedDependency[Form]
    ) -> Response[str]:
        """Do what was confirmed."""
        return showing.do(home_place(request), account_id, step, form)

    @get(_ENDING, sync_to_thread=True)
    def ask_end(self, request: PageRequest, account_id: FromPath[UUID], credential_id: FromPath[UUID]) -> Response[str]:
        """Ask before a credential is ended."""
        return showing.ask(home_place(request), account_id, "ending", credential_id)

    @post(_ENDING, sync_to_thread=True)
    def end(
        self,
        request: PageRequest,
        account_id: FromPath[UUID],
        credential_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """End a credential."""
        return showing.end(home_place(request), account_id, credential_id, form)


class TenantAccountPages(Controller):
    """Service accounts of one workspace."""

    path = "/t/{tenant_id:uuid}/service-accounts"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[str]:
        """All of them, and the form for one more."""
        del tenant_id  # the door has turned it into the visit's tenant
        return showing.show_list(tenant_place(request), {}, [])

    @post("/", sync_to_thread=True)
    def add(self, request: PageRequest, tenant_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Make one."""
        del tenant_id
        return showing.add(tenant_place(request), form)

    @get(_ONE, sync_to_thread=True)
    def read(self, request: PageRequest, tenant_id: FromPath[UUID], account_id: FromPath[UUID]) -> Response[str]:
        """One account with its credentials."""
        del tenant_id
        return showing.show_account(tenant_place(request), account_id)

    @post(_ONE, sync_to_thread=True)
    def change(
        self, request: PageRequest, tenant_id: FromPath[UUID], account_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Give it other roles and scopes."""
        del tenant_id
        return showing.change(tenant_place(request), account_id, form)

    @post(_CREDENTIALS, sync_to_thread=True)
    def give(
        self, request: PageRequest, tenant_id: FromPath[UUID], account_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Give it a secret or a key."""
        del tenant_id
        return showing.give_credential(tenant_place(request), account_id, form)

    @get(_STEP, sync_to_thread=True)
    def ask(
        self, request: PageRequest, tenant_id: FromPath[UUID], account_id: FromPath[UUID], step: FromPath[str]
    ) -> Response[str]:
        """Ask before it is stopped, let go on or removed."""
        del tenant_id
        return showing.ask(tenant_place(request), account_id, step)

    @post(_STEP, sync_to_thread=True)
    def do(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        account_id: FromPath[UUID],
        step: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Do what was confirmed."""
        del tenant_id
        return showing.do(tenant_place(request), account_id, step, form)

    @get(_ENDING, sync_to_thread=True)
    def ask_end(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        account_id: FromPath[UUID],
        credential_id: FromPath[UUID],
    ) -> Response[str]:
        """Ask before a credential is ended."""
        del tenant_id
        return showing.ask(tenant_place(request), account_id, "ending", credential_id)

    @post(_ENDING, sync_to_thread=True)
    def end(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        account_id: FromPath[UUID],
        credential_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """End a credential."""
        del tenant_id
        return showing.end(tenant_place(request), account_id, credential_id, form)
