"""What we say of users and groups over SCIM: resources, capabilities, and what we forgive a directory.

The models, PATCH and the grammar of filters are `scim2-models`': RFC 7643 and 7644 with their errata. Attributes that
nothing here uses (passwords, photos, keys, street addresses) are not declared, so they are dropped and never kept.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    EnterpriseUser,
    ETag,
    Filter,
    GroupMembership,
    Mutability,
    Name,
    Patch,
    PhoneNumber,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_models.resources.resource import AnyExtension

MOST = 200  # resources of one answer
MOST_BYTES = 1024 * 1024
_CORE = "urn:ietf:params:scim:schemas:core:2.0:"


class Email(ComplexAttribute):
    """An address as the directory has it: also one that no mail reaches, such as of a local domain."""

    value: str | None = None
    display: str | None = None
    type: str | None = None
    primary: bool | None = None


class User(Resource[AnyExtension]):
    """A user: who they are, how they are reached, whether they may come in."""

    __schema__ = URN(f"{_CORE}User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    name: Name | None = None
    display_name: str | None = None
    title: str | None = None
    user_type: str | None = None
    preferred_language: str | None = None
    locale: str | None = None
    timezone: str | None = None
    active: bool | None = None
    emails: list[Email] | None = None
    phone_numbers: list[PhoneNumber] | None = None
    groups: Annotated[list[GroupMembership] | None, Mutability.read_only] = None


class Member(ComplexAttribute):
    """A user in a group; groups do not hold groups here."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    ref: Annotated[Reference[User[Any]] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])


class Group(Resource[Any]):
    """A group of users, which may have a role here."""

    __schema__ = URN(f"{_CORE}Group")

    display_name: Annotated[str | None, Required.true] = None
    members: list[Member] | None = None


FullUser = User[EnterpriseUser]
KINDS: dict[str, type[Resource[Any]]] = {"Users": FullUser, "Groups": Group}

CONFIG = ServiceProviderConfig(
    patch=Patch(supported=True),
    bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
    filter=Filter(supported=True, max_results=MOST),
    change_password=ChangePassword(supported=False),
    sort=Sort(supported=False),
    etag=ETag(supported=True),
    authentication_schemes=[
        AuthenticationScheme(
            type=AuthenticationScheme.Type.oauthbearertoken,
            name="Bearer token",
            description="The token of this directory, shown once when it was set up or replaced.",
            primary=True,
        )
    ],
)
# Entra ID removes members by value and writes into addresses that are not there yet; both send what nobody asked for.
POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
PROVIDER = ScimProvider(
    models=[User, Group, EnterpriseUser],
    resource_types=[ResourceType.from_resource(FullUser), ResourceType.from_resource(Group)],
    config=CONFIG,
    policy=POLICY,
)
