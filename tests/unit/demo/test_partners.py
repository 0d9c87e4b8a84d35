"""The demo's partners hold together before anything is told: a lane for each sale, an adaptation for each lane."""

from __future__ import annotations

import pytest

from app.demo.journey.sale import PARTNER, SEGMENT, fresh_sale, missing_facts
from app.demo.world.seeding import PARTNERS
from app.demo.world.shapes import DemoPartner
from app.templates.workbench.files import LIBRARY


@pytest.mark.parametrize("partner", PARTNERS, ids=lambda each: each.slug)
class TestPartner:
    def test_has_a_lane_for_each_sale(self, partner: DemoPartner):
        assert {partner.lane(sale.segment).segment for sale in partner.sales} == {
            each.segment for each in partner.lanes
        }

    def test_has_adapted_the_template_of_each_lane(self, partner: DemoPartner):
        for lane in partner.lanes:
            assert (LIBRARY / lane.template / "overlays" / f"{partner.slug}.yaml").is_file(), lane

    def test_calls_each_sale_and_package_by_a_name_of_its_own(self, partner: DemoPartner):
        keys = [sale.key for sale in partner.sales] + [str(each["package"]) for each in partner.packages]
        assert len(keys) == len(set(keys))


class TestFreshSale:
    def test_lacks_exactly_what_sales_is_asked_for_later(self):
        sale = fresh_sale("x1")
        assert PARTNER.lane(SEGMENT).segment == sale.segment
        assert not set(missing_facts()) & set(sale.packet)
