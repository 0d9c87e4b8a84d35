"""Files that people hand over: taken in, sealed, read again by both sides, taken back; and what must not happen."""

from __future__ import annotations

import pytest

from tests.factories.files import pdf
from tests.integration.onboarding.files.desk import Desk, fetch, open_desk
from tests.integration.onboarding.house import House


@pytest.fixture
def desk(house: House) -> Desk:
    return open_desk(house)


class TestHandingOver:
    def test_keeps_a_file_that_both_sides_can_read(self, desk: Desk):
        house = desk.house
        content = pdf("Flow of orders", size=200_000)
        answer = desk.hand_over(house.olga, ("Datenfluss ü.pdf", content))
        assert answer.status == 303, answer.text
        [file] = desk.files()
        path = f"{desk.path}/files/{file['id']}"
        shown = house.olga.browser.get(desk.page)
        assert path in shown.text
        for reader in (house.olga, house.lead):
            status, headers, got = fetch(reader, path)
            assert (status, got) == (200, content)
            assert headers["content-disposition"].startswith('attachment; filename="Datenfluss u.pdf"')
            assert headers["x-content-type-options"] == "nosniff"
        assert desk.told() == ["olga handed_over", "Ada opened"]
