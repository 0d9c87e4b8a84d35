"""Manifests that must not start: typos, names that lead nowhere, promises that a strategy does not keep."""

import shutil

import pytest

from app.connectors.kit.consistency import read_manifest
from app.connectors.kit.manifest import ManifestWrong
from app.connectors.kit.registry import CATALOG, ConnectorNotFound, Registry

GOOD = (CATALOG / "product_admin" / "manifest.yaml").read_text(encoding="utf-8")

BROKEN = [
    ("provider: product_admin", "provider: product_admin\nprovider: other", "duplicate key"),
    ("provider: product_admin", "provider: Product-Admin", "/provider"),
    ("version: 1.0.0", "version: '1'", "/version"),
    ("version: 1.0.0", "version: 1.0.0\nsurprise: true", "surprise"),
    ("https://admin.workbench.example", "http://admin.workbench.example", "/address"),
    ("https://admin.workbench.example", "https://admin.workbench.example/v1", "/address"),
    ("https://admin.workbench.example", "https://evil.example", "not among egress.hosts"),
    ("https://admin.workbench.example", "https://admin.workbench.example:8443", "not among egress.ports"),
    ("hosts: [admin.workbench.example]", "hosts: []", "/egress/hosts"),
    ("hosts: [admin.workbench.example]", "hosts: ['*']", "/egress/hosts"),
    ("scheme: bearer", "scheme: magic", "/auth/scheme"),
    ("secret: api_token", "secret: another", "not among secrets"),
    ("verify: read_account", "verify: create_workspace", "verify"),
    ("verify: read_account", "verify: find_workspace", "without required input"),
    ("verify: read_account", "verify: nothing", "verify"),
    ("effect: write", "effect: maybe", "effect"),
    ("idempotency: header:Idempotency-Key", "idempotency: header:1x", "idempotency"),
    (
        "idempotency: header:Idempotency-Key\n    key_hours: 72\n    on_unknown: lookup",
        "idempotency: none\n    on_unknown: resend",
        "resend needs",
    ),
    ("lookup: find_workspace", "lookup: nowhere", "must name a read action"),
    ("lookup: find_workspace", "lookup: add_member", "must name a read action"),
    ("lookup: find_workspace", "lookup: find_member", "input that this action does not have"),
    ("    lookup: find_workspace\n", "", "needs a lookup"),
    ('name: "{name}"', 'name: "{nickname}"', "nickname"),
    ("path: /v1/workspaces/{workspace_id}/members", "path: /v1/workspaces/{id}/members", "{id}"),
    ("path: /v1/account", "path: v1/account", "path"),
    ("timeout: 15", "timeout: 0", "timeout"),
    ("timeout: 15", "timeout: 9000", "timeout"),
    ("then: already_done", "then: shrug", "then"),
    ("at: /error/code, equals: member_exists, then", "at: /error/code, then", "errors"),
    ("title: Workbench Admin API", "title: [", ""),
    ("title: Workbench Admin API", "title: !!python/object/apply:os.system ['true']", ""),
]


class TestReadManifest:
    @pytest.mark.parametrize(("good", "bad", "place"), BROKEN)
    def test_refuses_and_names_the_place(self, tmp_path, good, bad, place):
        assert good in GOOD
        path = tmp_path / "manifest.yaml"
        path.write_text(GOOD.replace(good, bad, 1), encoding="utf-8")
        with pytest.raises(ManifestWrong) as wrong:
            read_manifest(path)
        assert place.lower() in str(wrong.value).lower()
        assert str(path) in str(wrong.value)

    @pytest.mark.parametrize("text", ["", "[]", "just text", "a: 1", "\x00", "a: &a [*a]"])
    def test_refuses_what_is_no_manifest(self, tmp_path, text):
        path = tmp_path / "manifest.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ManifestWrong):
            read_manifest(path)


@pytest.fixture
def catalog(tmp_path):
    """A catalogue of one good folder, to be broken."""
    shutil.copytree(CATALOG / "product_admin", tmp_path / "product_admin")
    return tmp_path


class TestRegistry:
    def test_finds_a_folder_by_its_being_there(self, catalog):
        shutil.copytree(catalog / "product_admin", catalog / "second")
        manifest = catalog / "second" / "manifest.yaml"
        manifest.write_text(GOOD.replace("provider: product_admin", "provider: second"), encoding="utf-8")
        assert sorted(Registry.load(catalog).connectors) == ["product_admin", "second"]

    @pytest.mark.parametrize("name", ["stand_in.py", "README.md", "__init__.py", "fixtures/add_member.json"])
    def test_refuses_a_folder_that_lacks_a_part(self, catalog, name):
        (catalog / "product_admin" / name).unlink()
        with pytest.raises(ManifestWrong, match=name):
            Registry.load(catalog)

    def test_refuses_a_folder_of_another_name(self, catalog):
        (catalog / "product_admin").rename(catalog / "renamed")
        with pytest.raises(ManifestWrong, match="renamed"):
            Registry.load(catalog)

    @pytest.mark.parametrize("text", ["", "{}", '{"input": {}, "output": {}}', '{"input": {"workspace_id": 7}}'])
    def test_refuses_a_fixture_that_does_not_fit(self, catalog, text):
        (catalog / "product_admin" / "fixtures" / "add_member.json").write_text(text, encoding="utf-8")
        with pytest.raises(ManifestWrong, match="add_member"):
            Registry.load(catalog)

    def test_refuses_a_schema_that_is_none(self, catalog):
        manifest = catalog / "product_admin" / "manifest.yaml"
        manifest.write_text(GOOD.replace("minLength: 1, maxLength: 80", "minLength: many"), encoding="utf-8")
        with pytest.raises(ManifestWrong, match="create_workspace"):
            Registry.load(catalog)

    def test_names_what_is_not_there(self):
        registry = Registry.load()
        with pytest.raises(ConnectorNotFound, match="salesforce"):
            registry.get("salesforce")
        with pytest.raises(ConnectorNotFound, match="launch"):
            registry.get_action("hubspot", "launch")
