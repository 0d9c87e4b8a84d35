"""A connection by OAuth, from a person's yes to the last refusal: one renewal at a time, and no circles."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from app.connectors.catalog.hubspot.stand_in import OAUTH_CLIENT
from app.connectors.catalog.stand_in import Answer, Call, Fault
from app.connectors.connecting.care import (
    NotConnectedYet,
    ask_test,
    remove_connection,
    replace_credentials,
)
from app.connectors.connecting.journeys import JourneyUnusable
from app.connectors.tokens.operations import Claim, Held, claim_renewal
from app.connectors.tokens.state import find_state
from app.kernel.ids import new_id
from app.vault.operations import put_connection_secret
from app.vault.secret import Secret
from tests.factories.main_job import MainJob
from tests.integration.connectors.oauth import BACK, CLIENT_ID, CLIENT_SECRET, OAuthLine


@pytest.fixture
def line(shop: MainJob) -> OAuthLine:
    shop.installation.rows(shop.home, "UPDATE {}.connection SET state = 'removed' WHERE connector = 'hubspot'")
    shop.crm.desk.answered.clear()
    shop.crm.desk.rotates = False
    return OAuthLine(shop)


@pytest.fixture
def connected(line: OAuthLine) -> OAuthLine:
    line.connect()
    line.desk.answered.clear()
    return line


class TestConnecting:
    def test_ends_in_a_token_that_only_a_worker_has_seen(self, line: OAuthLine):
        asked = line.leave()
        assert (asked["code_challenge_method"], asked["client_id"]) == ("S256", CLIENT_ID)
        assert line.come(line.allow(asked)) == ""
        assert line.row.state == "pending"
        line.shop.run()
        assert line.row.state == "active"
        assert [entry.body["waited"] for entry in line.told("connected")] == [0]
        assert line.check()["works"]
        staged = "SELECT field FROM {}.secret WHERE purpose LIKE %s"
        assert line.shop.installation.rows(line.shop.home, staged, f"{line.id}:%") == []

    def test_takes_each_answer_once_from_who_went(self, line: OAuthLine):
        first, second = line.allow(line.leave()), line.allow(line.leave())
        with pytest.raises(JourneyUnusable):  # a newer journey has replaced it
            line.come(first)
        with pytest.raises(JourneyUnusable):
            line.come(second, session="session-2")
        with pytest.raises(JourneyUnusable):
            line.come(second, who="tom")
        line.come(second)
        with pytest.raises(JourneyUnusable):
            line.come(second)
        line.shop.run()
        assert line.count("authorization_code") == 1

    def test_takes_none_after_ten_minutes(self, line: OAuthLine):
        answer = line.allow(line.leave())
        past = "jsonb_set(body, ARRAY['expires_at'], '\"2020-01-01T00:00:00+00:00\"')"
        late = f"UPDATE {{}}.record SET body = {past} WHERE kind = 'connection_journey'"  # noqa: S608 - our own
        line.shop.installation.rows(line.shop.home, late)
        with pytest.raises(JourneyUnusable):
            line.come(answer)

    @pytest.mark.parametrize("answer", [{"error": "access_denied"}, {"code": ""}, {"code": "x" * 5000}])
    def test_says_so_where_the_peer_lets_nobody_in(self, line: OAuthLine, answer: dict[str, str]):
        assert line.come({"state": line.leave()["state"], **answer}) == "refused"
        line.shop.run()
        assert (line.row.state, line.count("authorization_code")) == ("pending", 0)

    def test_a_code_of_somebody_else_lets_nobody_in(self, line: OAuthLine):
        asked = line.leave()
        stolen = line.desk.allow("northwind", challenge="another", redirect_uri=BACK)
        line.come({"state": asked["state"], "code": stolen})
        line.shop.finish()
        assert (line.row.state, line.count("authorization_code")) == ("pending", 1)
        with line.shop.installation.work(line.shop.home, line.shop.lead) as work, pytest.raises(NotConnectedYet):
            ask_test(work, line.id)


class TestRenewing:
    def test_a_token_that_is_refused_is_renewed_within_the_attempt(self, connected: OAuthLine):
        connected.desk.end_access()
        run_id = connected.ask()
        connected.shop.run()
        run = connected.run_of(run_id)
        assert (run.state, len(run.attempts), connected.count("refresh_token")) == ("succeeded", 1, 1)

    def test_one_that_is_nearly_over_is_renewed_before_it_is_sent(self, connected: OAuthLine, monkeypatch: Any):
        later = connected.token().expires_at - timedelta(seconds=60)
        monkeypatch.setattr("app.connectors.tokens.renewing.world_time", lambda: later)
        before = len(connected.shop.crm.requests)
        run_id = connected.ask()
        connected.shop.run()
        assert connected.run_of(run_id).state == "succeeded"
        assert (connected.count("refresh_token"), len(connected.shop.crm.requests) - before) == (1, 1)

    @pytest.mark.parametrize("tokens", ["kept", "rotated"])
    def test_many_at_once_are_one_request(self, connected: OAuthLine, tokens: str):
        connected.desk.rotates = tokens == "rotated"
        connected.desk.end_access()
        runs = [connected.ask() for _ in range(4)]
        installation = connected.shop.installation
        taken = [item for item in installation.take() if item.tenant_id == connected.shop.home.id]
        threads = [threading.Thread(target=installation.run_one, args=(item,)) for item in taken]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        connected.shop.finish()
        assert [connected.run_of(run).state for run in runs] == ["succeeded"] * 4
        assert connected.count("refresh_token") == 1

    def test_a_new_token_is_kept_though_the_job_went_to_somebody_else(self, connected: OAuthLine):
        """What the peer has given once it does not give again: found by two workers on a busy machine."""
        crm, installation = connected.shop.crm, connected.shop.installation
        connected.desk.rotates = True
        connected.desk.end_access()
        answer = crm.open_doors["/oauth/v1/token"]

        def take_away(call: Call) -> Answer:
            crm.open_doors["/oauth/v1/token"] = answer
            installation.cell("UPDATE cell.job SET state = 'ready', epoch = epoch + 1 WHERE state = 'running'")
            return answer(call)

        crm.open_doors["/oauth/v1/token"] = take_away
        run_id = connected.ask()
        connected.shop.finish()
        assert (connected.run_of(run_id).state, connected.count("refresh_token")) == ("succeeded", 1)

    def test_a_peer_that_is_away_is_asked_again(self, connected: OAuthLine):
        connected.desk.end_access()
        connected.shop.crm.break_next(Fault("status", "/oauth", status=503))
        run_id = connected.ask()
        connected.shop.finish()
        assert (connected.run_of(run_id).state, connected.row.state) == ("succeeded", "active")

    def test_a_worker_killed_before_it_could_store_a_rotated_token_ends_in_a_person(self, connected: OAuthLine):
        connected.desk.rotates = True
        refresh = connected.token().refresh
        assert refresh is not None
        with connected.shop.installation.work(connected.shop.home, connected.shop.lead) as work:
            seen = find_state(work.session, connected.id).version
            assert isinstance(claim_renewal(work, connected.id, seen=seen, run_id=new_id()), Claim)
        with connected.shop.installation.work(connected.shop.home, connected.shop.lead) as work:
            assert isinstance(claim_renewal(work, connected.id, seen=seen, run_id=new_id()), Held)
        connected.desk._by_refresh(refresh.reveal())  # the peer has answered; nobody has heard it
        connected.desk.end_access()
        over = "UPDATE {}.record SET body = jsonb_set(body, ARRAY['until'], '\"2020-01-01T00:00:00+00:00\"')"
        connected.shop.installation.rows(connected.shop.home, over + " WHERE kind = 'connection_token'")
        run_id = connected.ask()
        connected.shop.finish()
        assert (connected.run_of(run_id).state, connected.row.state) == ("waiting", "reconnect")
        assert connected.count("refresh_token") == 1

    def test_one_that_nobody_uses_is_renewed_once_a_day(self, connected: OAuthLine):
        before = connected.token().expires_at
        connected.shop.installation.move_clock(timedelta(hours=21))
        connected.shop.run()
        assert connected.count("refresh_token") == 1
        assert connected.token().expires_at >= before


class TestRefusedForGood:
    def test_runs_wait_for_a_person_and_go_on_after_reconnecting(self, connected: OAuthLine):
        connected.desk.revoke("northwind")
        runs = [connected.ask(), connected.ask()]
        connected.shop.finish()
        assert [connected.run_of(run).state for run in runs] == ["waiting"] * 2
        assert (connected.row.state, connected.count("refresh_token")) == ("reconnect", 1)
        [told] = connected.told("reconnect_needed")
        assert (told.body["code"], told.body["owner"]) == ("BAD_REFRESH_TOKEN", str(connected.shop.lead.id))
        letters = "SELECT facts FROM {}.message WHERE kind = 'connection_reconnect_needed'"
        pages = [row.facts["page"] for row in connected.shop.installation.rows(connected.shop.home, letters)]
        assert pages.count(f"/t/{connected.shop.home.id}/connections/{connected.id}") == 1
        connected.connect()
        connected.shop.finish()
        assert [connected.run_of(run).state for run in runs] == ["succeeded"] * 2
        assert [entry.body["waited"] for entry in connected.told("connected")] == [0, 2]


class TestChanging:
    def test_new_credentials_take_over_only_when_they_have_worked(self, connected: OAuthLine):
        home, installation = connected.shop.home, connected.shop.installation
        in_use = "SELECT id FROM {}.secret WHERE purpose = %s AND field = 'oauth_client_secret'"
        [before] = installation.rows(home, in_use, str(connected.id))
        auth = {"way": "oauth", "client_id": CLIENT_ID}
        with installation.work(home, connected.shop.lead) as work:
            values = {"oauth_client_secret": Secret("not-the-one")}
            replace_credentials(work, connected.id, values=values, auth=auth)
        connected.shop.finish()
        assert (connected.check()["works"], connected.row.state) == (False, "active")
        assert installation.rows(home, in_use, str(connected.id)) == [before]
        connected.desk.client = (CLIENT_ID, "rotated-secret")
        try:
            with installation.work(home, connected.shop.lead) as work:
                values = {"oauth_client_secret": Secret("rotated-secret")}
                replace_credentials(work, connected.id, values=values, auth=auth)
            connected.shop.finish()
        finally:
            connected.desk.client = OAUTH_CLIENT
        assert connected.check()["works"]
        assert installation.rows(home, in_use, str(connected.id)) != [before]
        assert [entry.body["fields"] for entry in connected.told("credentials_changed")] == [["oauth_client_secret"]]

    def test_a_removed_connection_leaves_no_secret(self, connected: OAuthLine):
        home, installation = connected.shop.home, connected.shop.installation
        with installation.work(home, connected.shop.lead) as work:
            put_connection_secret(work, connection_id=connected.id, field="x", value=Secret("y"), stage="trial")
            remove_connection(work, connected.id)
        connected.shop.finish()
        assert installation.rows(home, "SELECT 1 FROM {}.secret WHERE purpose LIKE %s", f"{connected.id}%") == []
        run_id = connected.ask()
        connected.shop.finish()
        assert connected.run_of(run_id).state == "failed"


def test_no_token_is_in_any_table_or_log(connected: OAuthLine, capfd: pytest.CaptureFixture[str]):
    token = connected.token()
    connected.desk.end_access()
    connected.shop.crm.break_next(Fault("status", "/oauth", status=503))
    connected.ask()
    connected.shop.finish()
    canaries = [CLIENT_SECRET, token.access.reveal(), connected.token().access.reveal()]
    canaries += [kept.refresh.reveal() for kept in (token, connected.token()) if kept.refresh]
    told = [*capfd.readouterr(), repr(token), repr(connected.token())]
    found = "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables"
    tables = connected.shop.installation.cell(found + " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
    for table in tables:
        told += [str(row[0]) for row in connected.shop.installation.cell(f"SELECT t::text FROM {table.name} t")]  # noqa: S608 - its own catalogue
    forms = [form for canary in canaries for form in (canary, canary.encode().hex())]
    assert [text[:80] for text in told if any(form in text for form in forms)] == []
