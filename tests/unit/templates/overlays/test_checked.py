"""A document that passed is not checked again; another one always is."""

from __future__ import annotations

import pytest

from app.templates.overlay import apply_overlays
from app.templates.overlays.checked import Checked
from app.templates.rules import TemplateRefused
from tests.unit.templates.samples import managed_services, overlay


class TestChecked:
    def test_makes_the_same_document(self):
        checked, own = Checked(), overlay("title: {en: Ours, de: Unser}")
        documents = [apply_overlays(managed_services(), [own], checked=checked).document for _ in range(2)]
        assert documents[0] == documents[1] == apply_overlays(managed_services(), [own]).document

    def test_refuses_what_does_not_pass_every_time(self):
        checked, wrong = (
            Checked(),
            overlay("title: {en: Ours}\ndescription: null\nstages: [{id: handoff, owner: nobody}]"),
        )
        for _ in range(2):
            with pytest.raises(TemplateRefused):
                apply_overlays(managed_services(), [wrong], checked=checked)

    def test_forgets_before_it_grows_without_end(self):
        checked = Checked()
        for number in range(501):
            checked.add(str(number))
        assert not checked.holds("0")
        assert checked.holds("500")
        for number in range(501):
            checked.leads(str(number), "o", lambda: "there")
        assert checked.leads("0", "o", lambda: "elsewhere") == "elsewhere"

    def test_hashes_a_way_once_and_knows_two_ways_apart(self):
        checked, one = Checked(), overlay("title: {en: Ours, de: Unser}")
        other = overlay("title: {en: Other, de: Anderer}")
        digests = [apply_overlays(managed_services(), [each], checked=checked).digest for each in (one, other, one)]
        assert digests == [apply_overlays(managed_services(), [each]).digest for each in (one, other, one)]
        assert checked.leads(managed_services().digest, one.digest, lambda: "hashed anew") == digests[0]
