"""The fixture that every integration test stands on does what it says."""

from __future__ import annotations

from datetime import timedelta

from tests.factories.installation import Installation


class TestInstallation:
    def test_gives_two_tenants_that_share_nothing(self, installation: Installation):
        acme, umbrella = installation.two_customers()
        assert acme.organisation_id != umbrella.organisation_id
        assert acme.schema != umbrella.schema
        with installation.work(acme) as work:
            assert work.tenant is acme
        assert installation.rows(acme, "SELECT count(*) AS n FROM {}.trail")[0].n == 0

    def test_moves_business_time_only(self, installation: Installation):
        acme, _umbrella = installation.two_customers()
        installation.move_clock(timedelta(days=3))
        with installation.work(acme) as work:
            assert work.now - work.database_now == timedelta(days=3)

    def test_has_nothing_due_at_first(self, installation: Installation):
        assert installation.run_due() == []
