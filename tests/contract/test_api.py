"""The API does what its OpenAPI document says, whatever it is sent: Schemathesis over real HTTP, every check on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.factories.api import API

HERE = Path(__file__).parent


def attack(api: API, *more: str) -> subprocess.CompletedProcess[str]:
    """Run Schemathesis as a person of Northwind who may do everything there."""
    browser = api.admin.browser
    session = browser.cookies[api.doors.front.cookie_name("sid")]
    headers = {
        "Host": f"{browser.host}:{browser.port}",
        "Origin": f"http://{browser.host}:{browser.port}",
    }
    told = [word for name, value in headers.items() for word in ("--header", f"{name}: {value}")]
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run"]
    url = f"http://127.0.0.1:{browser.port}"
    return subprocess.run(
        [*command, f"{url}/api/openapi.json", "--url", url, *told, *more],
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE,
        env=os.environ | {"API_SESSION": session},
    )


class TestTheWholeDocument:
    def test_holds_under_attack(self, api: API):
        done = attack(api, "--max-examples", "10", "--seed", "1")
        assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
