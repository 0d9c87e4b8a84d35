"""The API does what its OpenAPI document says, whatever it is sent: Schemathesis over real HTTP, every check on."""

from __future__ import annotations

import json
import os
import random
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap.routes import make_application
from app.web.wire.openapi import COOKIE, complete
from tests.factories.api import API

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "api" / "openapi.json"


# The same operations stand under a workspace and in the home, behind other doors: the short attack takes the latter.
TWINS = "/api/v1/tenants/{tenant_id}/service-accounts"


def a_quarter() -> list[str]:
    """Every fourth path of the document, by a seed that is printed; the long attack takes all."""
    seed = secrets.randbelow(10**6)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it with a failure
    paths = [path for path in sorted(json.loads(DOCUMENT.read_text())["paths"]) if not path.startswith(TWINS)]
    return random.Random(seed).sample(paths, len(paths) // 4)  # noqa: S311 - a test's choice


def attack(api: API, *, examples: int, paths: list[str] | None = None) -> None:
    """Run Schemathesis as a person of Northwind who may do everything there. Deterministic: it finds the same again."""
    if not api.installation.control("SELECT FROM control.tenant WHERE kind = 'home'"):
        api.installation.tenant(api.doors.northwind, "Northwind", kind="home")
    browser = api.admin.browser
    url, host = f"http://127.0.0.1:{browser.port}", f"{browser.host}:{browser.port}"
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run"]
    command += [f"{url}/api/openapi.json", "--url", url, "--max-examples", str(examples)]
    command += ["--header", f"Host: {host}", "--header", f"Origin: http://{host}"]
    for path in paths or ():
        command += ["--include-path", path]
    session = {"API_SESSION": browser.cookies[api.doors.front.cookie_name("sid")]}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE, env=os.environ | session)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]


class TestTheDocument:
    def test_is_committed_as_it_is_served(self, api: API):
        served = api.admin.get("/api/openapi.json").body
        own = json.dumps(served, indent=2, sort_keys=True).replace(api.doors.front.cookie_name("sid"), COOKIE)
        assert f"{own}\n" == DOCUMENT.read_text(), "docs/api/openapi.json is old: `make openapi` renews it"

    def test_gives_each_operation_a_stable_name_an_account_and_an_example(self):
        document = complete(make_application(None).openapi_schema.to_schema())
        for path, item in document["paths"].items():
            for method, operation in item.items():
                where = f"{method} {path}"
                assert operation["operationId"].count(".") == 1, where
                assert operation["description"], where
                if "requestBody" in operation:
                    assert all("example" in told for told in operation["requestBody"]["content"].values()), where
                for status, answer in operation["responses"].items():
                    for told in answer.get("content", {}).values():
                        assert status >= "4" or "example" in told, f"{where} {status}"
                        assert status < "4" or told["schema"]["$ref"].endswith("/Problem"), f"{where} {status}"

    def test_bounds_whatever_stands_in_an_address(self):
        """A server ends a longer one with words of its own, which the document does not know."""
        for path, item in json.loads(DOCUMENT.read_text())["paths"].items():
            for method, operation in item.items():
                asked = [each for each in operation.get("parameters", ()) if each["in"] == "query"]
                longest = sum(_longest(each["schema"]) for each in asked)
                assert longest <= 5_500, f"{method} {path}: {longest} letters"


def _longest(schema: dict[str, Any]) -> float:
    """How many letters a parameter may have."""
    if "anyOf" in schema:
        return max(map(_longest, schema["anyOf"]))
    if schema.get("type") != "string" or "format" in schema or "enum" in schema:
        return 40
    bounded = "pattern" in schema and "*" not in schema["pattern"]  # names, moments: as long as they say
    return float(schema.get("maxLength", 120 if bounded else float("inf")))


class TestTheAPI:
    def test_holds_under_attack(self, api: API):
        attack(api, examples=3, paths=a_quarter())

    @pytest.mark.soak
    def test_holds_under_a_long_attack(self, api: API):
        attack(api, examples=150)
