"""What a directory's words mean: whose mail, which role, and which roles somebody may let it give."""

from __future__ import annotations

import pytest

from app.access.roles import Role
from app.identity.scim.doors.lists import compared
from app.identity.scim.rules import address_of, grantable, is_storable, locale_of, name_of, roles_wanted
from app.identity.scim.setup.queries import explain


class TestAddress:
    @pytest.mark.parametrize(
        ("name", "emails", "address"),
        [
            ("ann@x.example", [], "ann@x.example"),
            ("ann", [], None),
            ("ann@corp", [], None),
            ("ann@x.example", [{"value": "Home@x.example", "type": "home"}], "home@x.example"),
            ("a", [{"value": "h@x.example"}, {"value": "w@x.example", "type": "work"}], "w@x.example"),
            ("a", [{"value": "w@x.example", "type": "work"}, {"value": "p@x.example", "primary": True}], "p@x.example"),
            ("a@x.example", [{"value": "nonsense"}], "a@x.example"),
            ("maria@abc.sandbox.example", [], None),  # nobody's directory reaches the made-up people of a sandbox
        ],
    )
    def test_is_the_one_that_mail_reaches(self, name, emails, address):
        assert address_of(name, emails) == address


class TestRoles:
    def test_of_groups_stand_in_for_the_default_and_are_never_an_owner_s(self):
        assert roles_wanted("csm", [], of_tenant=False) == ("csm",)
        assert roles_wanted("csm", ["finance", "technical"], of_tenant=False) == ("finance", "technical")
        assert roles_wanted("csm", ["partner_owner"], of_tenant=False) == ()
        assert roles_wanted("owner", [], of_tenant=True) == ()
        assert roles_wanted(None, ["viewer", "approver", "contributor"], of_tenant=True) == ("approver",)

    @pytest.mark.parametrize("role", [role for role in Role if role not in {Role.OWNER, Role.PARTNER_OWNER}])
    def test_that_may_be_given_hold_nothing_that_the_giver_does_not(self, role):
        from app.access.decisions import permissions_of

        for of_tenant in (True, False):
            for given in grantable(frozenset({str(role)}), of_tenant=of_tenant):
                assert permissions_of(frozenset({given})) <= permissions_of(frozenset({str(role)}))
                assert given not in {"owner", "partner_owner", "operator"}

    def test_of_a_customer_come_from_a_customer_s_role_only(self):
        assert grantable(frozenset({"partner_owner", "partner_admin"}), of_tenant=True) == ()
        assert grantable(frozenset({"admin"}), of_tenant=True) == ("admin", "contributor", "viewer")
        assert "auditor" in grantable(frozenset({"partner_admin"}), of_tenant=False)


def test_names_and_languages_fall_back():
    assert name_of({"name": {"givenName": "Ann", "familyName": "Ames"}}, "x") == "Ann Ames"
    assert name_of({"displayName": " \n "}, "ann@x.example") == "ann@x.example"
    assert locale_of({"preferredLanguage": "de-DE"}) == "de"
    assert locale_of({"preferredLanguage": "tlh"}) == "en"


def test_only_what_the_database_keeps_is_taken():
    assert is_storable("ä\n")
    assert not is_storable("a\x00")
    assert not is_storable("\ud800")


def test_a_remembered_filter_holds_no_value():
    assert compared('userName eq "ann@x.example" and not (emails[type eq "work"])') == "userName eq, type eq"
    assert compared('userName eq "an unfinished') == "userName eq"
    assert compared("ann@x.example") == ""
    assert compared("x" * 100_000) == ""


def test_every_answer_has_a_meaning():
    assert explain("DELETE", 404, None) != explain("GET", 404, None)
    assert explain("POST", 409, "uniqueness") != explain("POST", 409, None)
    assert all(explain("GET", status, None) for status in range(200, 600))
