"""A role is called the same on every page: components say it, and so do the pages of access."""

import pytest

from app.access.pages.words import ROLE_NAMES
from app.web.assets import built_assets
from app.web.rendering import pages


class TestNames:
    @pytest.mark.parametrize("role", ROLE_NAMES)
    def test_are_those_of_the_component(self, role: str):
        component = pages("en", built_assets()).get_template("components/role.html").module
        assert component.role_word(role) == ROLE_NAMES[role]  # type: ignore[attr-defined]  # a macro of the page
