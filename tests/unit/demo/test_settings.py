"""Settings read from hostile environments: what is refused, how it is said, and that nothing secret is."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import DOCUMENTED, BadSettings, Settings
from app.settings.values import AddressBookEntry, MailServer, database_place

GOOD = {
    "SLIPWAY_CONTROL_URL": "postgresql://slipway:s3cret@db.example.com/control",
    "SLIPWAY_CELL_URL": "postgresql://slipway:s3cret@db.example.com/cell",
    "SLIPWAY_REDIS_URL": "redis://:s3cret@cache.example.com:6379/0",
    "SLIPWAY_KEYRING": "/srv/keyring",
}


def read(**changes: str) -> Settings:
    return Settings.from_environment({**GOOD, **{f"SLIPWAY_{name}": value for name, value in changes.items()}})


def complaints(**changes: str) -> dict[str, str]:
    with pytest.raises(BadSettings) as caught:
        read(**changes)
    return dict(caught.value.errors)


class TestFromEnvironment:
    def test_gives_secure_defaults(self):
        settings = read()
        assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8000)
        assert settings.public_url == "http://localhost:8000"
        assert settings.address_book == ()
        assert settings.mail_from == "no-reply@localhost"
        assert settings.serves_only_localhost

    def test_lists_every_bad_variable_at_once(self):
        with pytest.raises(BadSettings) as caught:
            Settings.from_environment({"SLIPWAY_HTTP_PORT": "0", "SLIPWAY_GATEWAYS": "33"})
        assert {name for name, _ in caught.value.errors} == {*GOOD, "SLIPWAY_HTTP_PORT", "SLIPWAY_GATEWAYS"}
        assert all(name in str(caught.value) for name, _ in caught.value.errors)

    def test_takes_a_blank_variable_for_one_that_is_not_set(self):
        assert read(HTTP_PORT=" ").http_port == 8000
        assert complaints(KEYRING="")["SLIPWAY_KEYRING"].startswith("is not set")

    def test_follows_the_port_in_the_public_url(self):
        assert read(HTTP_PORT="8003").public_url == "http://localhost:8003"

    def test_names_the_sender_after_the_public_host(self):
        assert read(PUBLIC_URL="https://on.example.com").mail_from == "no-reply@on.example.com"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("HTTP_PORT", "65536"),
            ("HTTP_PORT", "tcp://10.0.0.1:80"),
            ("HTTP_PORT", "\uff18\uff10\uff10\uff10"),
            ("HTTP_HOST", "not a host"),
            ("HTTP_SOCKET", "2"),
            ("PUBLIC_URL", "on.example.com"),
            ("PUBLIC_URL", "http://on.example.com"),
            ("PUBLIC_URL", "http://localhost.example.com"),
            ("PUBLIC_URL", "https://user@on.example.com"),
            ("PUBLIC_URL", "https://on.example.com/path"),
            ("PUBLIC_URL", "https://on.example.com:99999"),
            ("SMTP_URL", "mail.example.com"),
            ("SMTP_URL", "smtp://user@mail.example.com"),
            ("MAIL_FROM", "Slipway <no-reply@example.com>"),
            ("MAIL_FROM", "a@b\nBcc: c@d"),
            ("ADDRESS_BOOK", "api.example.com=9001"),
            ("ADDRESS_BOOK", "api.example.com:443=0"),
            ("ADDRESS_BOOK", "10.0.0.1:443=9001"),
            ("ADDRESS_BOOK", "a.example:443=9001,A.example:443=9002"),
            ("WORKER_THREADS", "0"),
            ("GATEWAYS", "-1"),
            ("LOG_FORMAT", "xml"),
            ("CONTROL_URL", "mysql://a:b@c/d"),
            ("CONTROL_URL", "postgresql://slipway@db.example.com"),
            ("CONTROL_URL", "postgresql://db.example.com/control"),
            ("REDIS_URL", "unix://relative.sock"),
            ("REDIS_URL", "redis://cache/one"),
            ("REDIS_URL", "http://cache"),
            ("KEYRING_BACKUP_DAYS", "-1"),
            ("KEYRING_BACKUP_DAYS", "forever"),
            ("TRANSIT_URL", "http://vault.example.com:8200"),
            ("TRANSIT_URL", "http://localhost.example.com"),
            ("TRANSIT_URL", "https://root@vault.example.com"),
            ("TRANSIT_URL", "https://vault.example.com/v1"),
            ("TRANSIT_URL", "vault.example.com"),
            ("TRANSIT_MOUNT", "../sys"),
            ("TRANSIT_MOUNT", "a//b"),
            ("TRANSIT_MOUNT", "a?b"),
            ("TRANSIT_TOKEN_FILE", "/nowhere/token"),
            ("TRANSIT_CA_FILE", "/nowhere/ca.pem"),
        ],
    )
    def test_refuses(self, name, value):
        assert set(complaints(**{name: value})) == {f"SLIPWAY_{name}"}

    @pytest.mark.parametrize("name", ["CONTROL_URL", "REDIS_URL", "SMTP_URL"])
    def test_never_repeats_a_value_that_may_hold_a_password(self, name):
        with pytest.raises(BadSettings) as caught:
            read(**{name: "postgresql+x://user:hunter2@[::1/x?%zz"})
        assert "hunter2" not in str(caught.value)

    def test_keeps_passwords_out_of_what_is_printed(self):
        settings = read(SMTP_URL="smtp://user:s3cret@mail.example.com")
        assert "s3cret" not in f"{settings} {settings!r} {settings.smtp} {settings.smtp!r}"


class TestVault:
    def test_is_none_unless_it_is_named(self):
        settings = read()
        assert (settings.transit_url, settings.transit_mount, settings.keyring_backup_days) == (None, "transit", 0)

    def test_is_named_with_its_token(self, tmp_path):
        assert set(complaints(TRANSIT_URL="https://vault.example.com:8200")) == {"SLIPWAY_TRANSIT_TOKEN_FILE"}
        token = tmp_path / "token"
        token.write_text("s3cret")
        settings = read(
            TRANSIT_URL="https://Vault.example.com:8200/", TRANSIT_TOKEN_FILE=str(token), TRANSIT_MOUNT="/a/transit/"
        )
        assert (settings.transit_url, settings.transit_mount) == ("https://vault.example.com:8200", "a/transit")
        assert "s3cret" not in repr(settings)
        assert Settings.from_environment(settings.environment()) == settings

    @pytest.mark.parametrize("url", ["http://127.0.0.1:8200", "http://localhost:8200", "http://[::1]:8200"])
    def test_may_be_plain_on_this_machine(self, url, tmp_path):
        (tmp_path / "token").touch()
        assert read(TRANSIT_URL=url, TRANSIT_TOKEN_FILE=str(tmp_path / "token")).transit_url == url


class TestControlAndCell:
    @pytest.mark.parametrize(
        ("control", "cell"),
        [
            ("postgresql://a:b@db.example.com/x", "postgresql://c:d@DB.example.com:5432/x?sslmode=require"),
            ("postgresql://a:b@localhost/x", "postgresql://a:b@127.0.0.1/x"),
            ("postgresql://a:b@localhost/x", "postgresql://a:b@[::1]:5432/x"),
            ("postgresql://a@/x?host=/run/pg", "postgres://a@/x?host=%2Frun%2Fpg"),
        ],
    )
    def test_are_refused_as_one_database(self, control, cell):
        assert "same database" in complaints(CONTROL_URL=control, CELL_URL=cell)["SLIPWAY_CELL_URL"]

    def test_may_share_a_server(self):
        assert database_place(read().control_url) != database_place(read().cell_url)


class TestAddressBook:
    def test_is_read(self):
        assert read(ADDRESS_BOOK="API.HubAPI.com:443=9001, admin.workbench.example:80=9002").address_book == (
            AddressBookEntry("api.hubapi.com", 443, 9001),
            AddressBookEntry("admin.workbench.example", 80, 9002),
        )

    @pytest.mark.parametrize(
        "served", [{"PUBLIC_URL": "https://on.example.com"}, {"HTTP_HOST": "192.0.2.1"}, {"HTTP_HOST": "::"}]
    )
    def test_is_refused_when_others_are_served(self, served):
        assert "refused" in complaints(ADDRESS_BOOK="a.example:443=1", **served)["SLIPWAY_ADDRESS_BOOK"]


class TestMailServer:
    @pytest.mark.parametrize(
        ("url", "server"),
        [
            ("smtp://localhost:2525", MailServer("localhost", 2525, tls=False, user=None, password=None)),
            ("smtps://u%40x:p%2Fw@mail.example.com", MailServer("mail.example.com", 465, True, "u@x", "p/w")),
        ],
    )
    def test_is_taken_apart(self, url, server):
        assert read(SMTP_URL=url).smtp == server


class TestEnvironment:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"REDIS_URL": "unix:///run/valkey.sock?db=3", "HTTP_SOCKET": "7", "HTTP_PORT": "8001"},
            {"ADDRESS_BOOK": "a.example:443=9001,b.example:80=9002", "LOG_FORMAT": "json", "HTTP_HOST": "::1"},
            {"PUBLIC_URL": "https://on.example.com:8443", "SMTP_URL": "smtps://u:p@mail.example.com"},
        ],
    )
    def test_gives_the_same_settings_again(self, changes):
        settings = read(**changes)
        assert Settings.from_environment(settings.environment()) == settings

    def test_spells_out_every_documented_variable(self):
        assert list(read().environment()) == [entry.name for entry in DOCUMENTED if "<" not in entry.name]

    def test_has_documented_defaults_that_are_true(self):
        given = read().environment()
        for entry in DOCUMENTED:
            if entry.default is not None and "<" not in entry.default + entry.name:
                assert given[entry.name] == entry.default

    def test_keeps_the_workers_key_in_a_folder_of_its_own(self):
        assert read(KEYRING="/srv/keys").worker_keyring == Path("/srv/keys-worker")
        assert read(WORKER_KEYRING="/srv/other").worker_keyring == Path("/srv/other")

    def test_makes_a_relative_keyring_absolute(self):
        assert read(KEYRING="keys").keyring == Path.cwd() / "keys"
