"""What directories ask of `control` from an organisation's scope reaches its own rows, and nobody else's."""

from __future__ import annotations

from sqlalchemy import text

from app.kernel.ids import new_id
from tenants.sessions import partner_session
from tests.integration.identity.scim.directories import Directories


def call(at_work: Directories, statement: str, **values: object) -> object:
    """Ask from Contoso's scope."""
    databases = at_work.installation.databases
    with partner_session(databases, at_work.doors.contoso, actor="test") as (session, _now):
        return session.execute(text(statement), values).scalar_one_or_none()


def test_another_organisation_s_people_are_not_signed_out(at_work: Directories):
    email = "uma@northwind.example"
    person = at_work.doors.staff(email, at_work.doors.northwind)
    at_work.doors.sign_in(at_work.doors.browser(), email)
    end = "SELECT control.end_person_sessions(:person, :organisation, NULL)"
    call(at_work, end, person=person, organisation=at_work.doors.northwind)
    assert at_work.sessions(email) == 1
    call(at_work, end, person=person, organisation=at_work.doors.contoso)
    assert at_work.sessions(email) == 1


def test_another_organisation_s_user_becomes_nobody_else(at_work: Directories):
    user = at_work.northwind.create("vera@northwind.example").body["id"]
    before = at_work.person("vera@northwind.example")
    take = "SELECT control.take_person(:user, :new, 'vera@evil.example', 'Mallory', 'de', true)"
    assert call(at_work, take, user=user, new=new_id()) is None
    assert at_work.person("vera@northwind.example") == before
    assert at_work.person("vera@evil.example") is None


def test_another_organisation_s_rows_are_not_there(at_work: Directories):
    at_work.northwind.group("Unseen", at_work.northwind.create("walt@northwind.example").body["id"])
    for table in ("directory", "directory_user", "staff_group", "staff_group_member", "directory_request"):
        query = f"SELECT count(*) FROM control.{table} WHERE organisation_id = :other"  # noqa: S608 - our own names
        assert call(at_work, query, other=at_work.doors.northwind) == 0
