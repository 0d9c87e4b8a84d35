"""The JSON doors of service accounts: of a partner, and of one workspace. The same in both places."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.params import FromPath, RawBody

from app.identity.machines.api import answers
from app.identity.machines.api.described import PARTNER, TENANT
from app.identity.machines.places import home_place, tenant_place
from app.web.wire.openapi import described as account

PageRequest = Request[Any, Any, Any]
_ONE, _CREDENTIALS = "/{account_id:uuid}", "/{account_id:uuid}/credentials"
_CREDENTIAL = "/{account_id:uuid}/credentials/{credential_id:uuid}"


class PartnerAccountDoors(Controller):
    """Service accounts of the host's organisation; they work in its home and, as far as delegations go, in tenants."""

    path = "/api/v1/service-accounts"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("service accounts",)

    @get("/", operation_id="serviceAccounts.list", operation_class=account(PARTNER.list), sync_to_thread=True)
    def list(self, request: PageRequest) -> Response[bytes]:
        """List the partner's service accounts with their credentials and last use."""
        return answers.answer_list(home_place(request))

    @post("/", operation_id="serviceAccounts.create", operation_class=account(PARTNER.create), sync_to_thread=True)
    def create(self, request: PageRequest, body: RawBody) -> Response[bytes]:
        """Make a service account of the partner. It can do nothing before it is given a credential."""
        return answers.create(home_place(request), body)

    @get(_ONE, operation_id="serviceAccounts.read", operation_class=account(PARTNER.read), sync_to_thread=True)
    def read(self, request: PageRequest, account_id: FromPath[UUID]) -> Response[bytes]:
        """Read one account. The ETag changes with every change, not with its use."""
        return answers.answer_one(home_place(request), account_id)

    @patch(_ONE, operation_id="serviceAccounts.update", operation_class=account(PARTNER.update), sync_to_thread=True)
    def update(self, request: PageRequest, account_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Change name, roles, scopes or state, from the version you have read. It acts on the next request."""
        return answers.change(home_place(request), account_id, body)

    @delete(
        _ONE,
        operation_id="serviceAccounts.remove",
        operation_class=account(PARTNER.remove),
        status_code=200,
        sync_to_thread=True,
    )
    def remove(self, request: PageRequest, account_id: FromPath[UUID]) -> Response[bytes]:
        """End the account for good, with its credentials and tokens."""
        return answers.remove(home_place(request), account_id)

    @post(_CREDENTIALS, operation_id="serviceAccounts.give", operation_class=account(PARTNER.give), sync_to_thread=True)
    def give(self, request: PageRequest, account_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Give it a secret or a public key. Two of a kind may work at once, so that one takes over from the other."""
        return answers.give(home_place(request), account_id, body)

    @delete(
        _CREDENTIAL,
        operation_id="serviceAccounts.take",
        operation_class=account(PARTNER.take),
        status_code=200,
        sync_to_thread=True,
    )
    def take(self, request: PageRequest, account_id: FromPath[UUID], credential_id: FromPath[UUID]) -> Response[bytes]:
        """End a credential, and with it the tokens that were issued for it."""
        return answers.take(home_place(request), account_id, credential_id)


class TenantAccountDoors(Controller):
    """Service accounts of one workspace; they work in it and nowhere else."""

    path = "/api/v1/tenants/{tenant_id:uuid}/service-accounts"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("service accounts",)

    @get("/", operation_id="tenantServiceAccounts.list", operation_class=account(TENANT.list), sync_to_thread=True)
    def list(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[bytes]:
        """List the workspace's service accounts with their credentials and last use."""
        del tenant_id  # the door has turned it into the visit's tenant
        return answers.answer_list(tenant_place(request))

    @post("/", operation_id="tenantServiceAccounts.create", operation_class=account(TENANT.create), sync_to_thread=True)
    def create(self, request: PageRequest, tenant_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Make a service account of the workspace. It can do nothing before it is given a credential."""
        del tenant_id
        return answers.create(tenant_place(request), body)

    @get(_ONE, operation_id="tenantServiceAccounts.read", operation_class=account(TENANT.read), sync_to_thread=True)
    def read(self, request: PageRequest, tenant_id: FromPath[UUID], account_id: FromPath[UUID]) -> Response[bytes]:
        """Read one account. The ETag changes with every change, not with its use."""
        del tenant_id
        return answers.answer_one(tenant_place(request), account_id)

    @patch(
        _ONE, operation_id="tenantServiceAccounts.update", operation_class=account(TENANT.update), sync_to_thread=True
    )
    def update(
        self, request: PageRequest, tenant_id: FromPath[UUID], account_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Change name, role, scopes or state, from the version you have read. It acts on the next request."""
        del tenant_id
        return answers.change(tenant_place(request), account_id, body)

    @delete(
        _ONE,
        operation_id="tenantServiceAccounts.remove",
        operation_class=account(TENANT.remove),
        status_code=200,
        sync_to_thread=True,
    )
    def remove(self, request: PageRequest, tenant_id: FromPath[UUID], account_id: FromPath[UUID]) -> Response[bytes]:
        """End the account for good, with its credentials and tokens."""
        del tenant_id
        return answers.remove(tenant_place(request), account_id)

    @post(
        _CREDENTIALS,
        operation_id="tenantServiceAccounts.give",
        operation_class=account(TENANT.give),
        sync_to_thread=True,
    )
    def give(
        self, request: PageRequest, tenant_id: FromPath[UUID], account_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Give it a secret or a public key. Two of a kind may work at once, so that one takes over from the other."""
        del tenant_id
        return answers.give(tenant_place(request), account_id, body)

    @delete(
        _CREDENTIAL,
        operation_id="tenantServiceAccounts.take",
        operation_class=account(TENANT.take),
        status_code=200,
        sync_to_thread=True,
    )
    def take(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        account_id: FromPath[UUID],
        credential_id: FromPath[UUID],
    ) -> Response[bytes]:
        """End a credential, and with it the tokens that were issued for it."""
        del tenant_id
        return answers.take(tenant_place(request), account_id, credential_id)
