"""Hostile SQL that reaches for the server: files, programs, extensions, objects, rights, other sessions."""

# ruff: noqa: S608 - the statements are the attack
from __future__ import annotations

import psycopg
import pytest

from tenants.consistency import examine_installation
from tenants.sessions import tenant_cursor
from tenants.tenant import Tenant
from tests.factories.installation import CELL
from tests.factories.peer_house import PeerHouse
from tests.integration.tenants.attacks.conftest import check_unharmed, send
from tests.integration.tenants.conftest import DENIED, refused

NO_EXTENSION = ("0A000", "58P01")  # this build does not even carry it
READ_ONLY_SETTING = ("55P02", "42501")


class TestTheServer:
    @pytest.mark.parametrize(
        "statement",
        [
            "COPY member TO PROGRAM 'cat'",
            "COPY member FROM PROGRAM 'id'",
            "COPY member TO '/tmp/loot'",
            "COPY member FROM '/etc/passwd'",
            "SELECT pg_read_file('/etc/passwd')",
            "SELECT pg_read_binary_file('postgresql.conf')",
            "SELECT pg_ls_dir('.')",
            "SELECT pg_stat_file('postgresql.conf')",
            "SELECT pg_ls_logdir()",
            "SELECT lo_import('/etc/passwd')",
            "SELECT lo_export(1, '/tmp/loot')",
            "SELECT pg_reload_conf()",
            "SELECT pg_rotate_logfile()",
            "SELECT pg_switch_wal()",
            "SELECT pg_create_restore_point('x')",
            "SELECT pg_log_backend_memory_contexts(pg_backend_pid())",
            "SELECT * FROM pg_authid",
            "SELECT * FROM pg_shadow",
            "SELECT * FROM pg_file_settings",
            "SELECT * FROM pg_hba_file_rules",
            "SELECT * FROM pg_user_mapping",
            "SELECT * FROM pg_subscription",
            "SELECT * FROM pg_largeobject",
            "SELECT * FROM pg_statistic",
            "LOAD 'auto_explain'",
            "ALTER SYSTEM SET max_connections = 1",
            "CHECKPOINT",
            "CREATE DATABASE loot",
            "CREATE TABLESPACE loot LOCATION '/tmp'",
            "CREATE ROLE loot",
            "CREATE SERVER loot FOREIGN DATA WRAPPER postgres_fdw",
            "CREATE FOREIGN DATA WRAPPER loot",
            "CREATE PUBLICATION loot FOR ALL TABLES",
            "CREATE SUBSCRIPTION loot CONNECTION '' PUBLICATION x",
            "CREATE EVENT TRIGGER loot ON ddl_command_start EXECUTE FUNCTION x()",
            "CREATE LANGUAGE plpython3u",
            "CREATE FUNCTION {0}.f() RETURNS int LANGUAGE c AS 'libc', 'system'",
            "VACUUM FULL pg_class",
            "SET session_replication_role = replica",
            "SET zero_damaged_pages = on",
            "SET log_statement = 'none'",
            "SET session_preload_libraries = 'x'",
            "SET dynamic_library_path = '/tmp'",
            "SET lc_messages = 'C'",
        ],
    )
    def test_gives_nothing_away_and_takes_nothing(self, house: PeerHouse, acme: Tenant, statement: str):
        not_at_all = (DENIED, *READ_ONLY_SETTING, "42704", "0A000", "25001", "58P01")
        with refused(*not_at_all):
            send(house, acme, statement.format(acme.schema))

    @pytest.mark.parametrize("name", ["dblink", "file_fdw", "postgres_fdw", "adminpack", "pg_stat_statements"])
    def test_gets_no_extension(self, house: PeerHouse, acme: Tenant, name: str):
        for way in ("SELECT 1", "RESET ROLE"):
            with refused(DENIED, *NO_EXTENSION):
                send(house, acme, way, f"CREATE EXTENSION {name} SCHEMA public")

    def test_ends_or_cancels_nobody_elses_statement(self, house: PeerHouse, acme: Tenant, umbrella: Tenant):
        with tenant_cursor(house.databases, umbrella, actor="test") as (cursor, _entered):
            row = cursor.execute("SELECT pg_backend_pid()").fetchone()
            for way in ("SELECT 1", "RESET ROLE"):
                for verb in ("pg_cancel_backend", "pg_terminate_backend"):
                    with refused(DENIED):
                        send(house, acme, way, f"SELECT {verb}({row[0] if row else 0})")
            assert cursor.execute("SELECT 1").fetchone() == (1,)


class TestATenantsRole:
    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TABLE loot (i int)",
            "CREATE TABLE public.loot (i int)",
            "CREATE TABLE cell.loot (i int)",
            "CREATE SCHEMA loot",
            "CREATE SEQUENCE loot",
            "CREATE MATERIALIZED VIEW loot AS SELECT 1",
            "SELECT * INTO loot FROM member",
            "CREATE STATISTICS loot ON name, email FROM member",
            "ALTER TABLE member ADD COLUMN loot int",
            "ALTER TABLE member OWNER TO CURRENT_USER",
            "ALTER TABLE member DISABLE ROW LEVEL SECURITY",
            "ALTER SCHEMA {0} OWNER TO CURRENT_USER",
            "ALTER SCHEMA {0} RENAME TO loot",
            "DROP SCHEMA {0} CASCADE",
            "DROP TABLE member",
            "TRUNCATE member",
            "TRUNCATE trail",
            "COMMENT ON TABLE member IS 'x'",
            "SECURITY LABEL ON TABLE member IS 'x'",
            "CREATE INDEX loot ON member (name)",
            "REINDEX TABLE member",
            "CREATE TRIGGER loot BEFORE INSERT ON member EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "ALTER DEFAULT PRIVILEGES FOR ROLE slipway GRANT SELECT ON TABLES TO PUBLIC",
            "REASSIGN OWNED BY slipway TO CURRENT_USER",
            "GRANT {1} TO {2}",
            "GRANT slw_x TO CURRENT_USER",
            "ALTER ROLE {1} LOGIN",
            "ALTER ROLE {1} SUPERUSER",
            "ALTER ROLE {2} PASSWORD 'mine'",
            "ALTER ROLE {2} SET search_path = x",
            "UPDATE alembic_version SET version_num = 'x'",
            "DELETE FROM trail",
            "UPDATE trail SET reason = 'x'",
        ],
    )
    def test_owns_nothing_and_passes_nothing_on(self, house: PeerHouse, acme: Tenant, umbrella: Tenant, statement: str):
        with refused(DENIED, "42704", "22023"):
            send(house, acme, statement.format(acme.schema, acme.role, house.key.roles.gateway(acme.gateway)))

    @pytest.mark.parametrize(
        "statement",
        [
            "GRANT SELECT ON member TO {0}",
            "GRANT SELECT ON member TO PUBLIC",
            "GRANT ALL ON ALL TABLES IN SCHEMA {1} TO PUBLIC",
            "GRANT USAGE ON SCHEMA {1} TO PUBLIC",
            "GRANT EXECUTE ON FUNCTION cell.enter() TO PUBLIC",
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA {1} GRANT SELECT ON TABLES TO PUBLIC",
        ],
    )
    def test_opens_its_doors_to_nobody(self, house: PeerHouse, acme: Tenant, neighbour: Tenant, statement: str):
        """PostgreSQL warns or refuses; either way nobody else sees more than before."""
        try:
            send(house, acme, statement.format(neighbour.role, acme.schema))
        except psycopg.Error as error:
            assert error.sqlstate == DENIED  # noqa: PT017 - a warning is fine too
        with refused(DENIED):
            send(house, neighbour, f"SELECT * FROM {acme.schema}.member")
        if "DEFAULT" in statement:  # a default of its own is allowed and means nothing; the doctor would name it
            send(house, acme, statement.replace("GRANT", "REVOKE").replace(" TO ", " FROM ").format("", acme.schema))

    def test_reads_no_large_object_of_another(self, house: PeerHouse, acme: Tenant, neighbour: Tenant):
        """Anybody may make one: PostgreSQL has no right for that. `slipway doctor` names the owner."""
        [[made]] = send(house, neighbour, "SELECT lo_from_bytea(0, 'secret')")
        try:
            for statement in ("SELECT lo_get({})", "SELECT lo_unlink({})", "SELECT lo_open({}, 262144)"):
                with refused(DENIED):
                    send(house, acme, statement.format(made))
        finally:
            send(house, neighbour, f"SELECT lo_unlink({made})")


class TestWhatIsNotWalled:
    def test_is_the_gateways_own_starting_settings(self, house: PeerHouse, acme: Tenant, neighbour: Tenant):
        """PostgreSQL lets every login change its own. What matters comes with our BEGIN; the doctor names the rest."""
        send(house, acme, "RESET ROLE", "ALTER ROLE CURRENT_USER SET search_path = pg_temp")
        try:
            house.databases.cells[CELL].gateways[acme.gateway].dispose()
            check_unharmed(house, neighbour)
            urls = {CELL: house.urls.cell_url}
            found = examine_installation(house.key, control_url=house.urls.control_url, cell_urls=urls).troubles
            assert "role settings" in {trouble.kind for trouble in found}
        finally:
            send(house, acme, "RESET ROLE", "ALTER ROLE CURRENT_USER RESET search_path")
