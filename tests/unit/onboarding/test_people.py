"""Who stands in where nobody holds a role."""

from __future__ import annotations

from app.flow.definition import Role
from app.onboarding.people import with_fallbacks

ROLES = {
    role.id: role
    for role in (
        Role(id="lead", label={"en": "Lead"}),
        Role(id="csm", label={"en": "CSM"}, fallback="lead"),
        Role(id="finance", label={"en": "Finance"}, fallback="csm"),
        Role(id="a", label={"en": "A"}, fallback="b"),
        Role(id="b", label={"en": "B"}, fallback="a"),
    )
}
ADA, BO = {"id": "1", "name": "Ada"}, {"id": "2", "name": "Bo"}


class TestWithFallbacks:
    def test_lets_others_stand_in_along_the_chain(self):
        found = with_fallbacks(ROLES, {"lead": [ADA]})
        assert found == {"lead": [ADA], "csm": [ADA], "finance": [ADA]}

    def test_takes_the_nearest(self):
        assert with_fallbacks(ROLES, {"lead": [ADA], "csm": [BO]})["finance"] == [BO]

    def test_leaves_whoever_holds_a_role_alone(self):
        people = {"lead": [ADA], "csm": [BO], "finance": [ADA, BO]}
        assert with_fallbacks(ROLES, people) == people

    def test_takes_an_empty_list_for_nobody(self):
        assert with_fallbacks(ROLES, {"lead": [ADA], "csm": []})["csm"] == [ADA]

    def test_ends_where_roles_stand_in_for_each_other(self):
        assert "a" not in with_fallbacks(ROLES, {"lead": [ADA]})
