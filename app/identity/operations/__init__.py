"""How people get in and out, and how a tenant knows its own."""

from app.identity.operations.arrivals import ArrivedPerson, find_people, list_people, repoint_members
from app.identity.operations.members import NewMember, add_member, index_membership
from app.identity.operations.sign_in import (
    AddressUnreadable,
    LinkUnusable,
    MayNotSignIn,
    SignedIn,
    create_link,
    ensure_person,
    forget_stale,
    mail_link,
    sign_in,
    sign_out,
    sign_out_everywhere,
)

__all__ = [
    "AddressUnreadable",
    "ArrivedPerson",
    "LinkUnusable",
    "MayNotSignIn",
    "NewMember",
    "SignedIn",
    "add_member",
    "create_link",
    "ensure_person",
    "find_people",
    "forget_stale",
    "index_membership",
    "list_people",
    "mail_link",
    "repoint_members",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
]
