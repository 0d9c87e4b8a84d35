"""What a log line shows, and what it never does. Each in a process of its own: logging is set up once for all."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import logging, structlog
from app.bootstrap.plugins import configure_logging
configure_logging({kind!r})
log = structlog.get_logger("app.test")
structlog.contextvars.bind_contextvars(trace_id="abc123")
log.info("door.opened", route="/sign-in", session_token="s3cr3t", Authorization="s3cr3t")
logging.getLogger("foreign").warning("said %s", "so")
def inner():
    password = "hunter2"
    raise ValueError("bad")
try:
    inner()
except ValueError:
    log.exception("door.broken")
"""


def lines(kind):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(kind=kind)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == ""
    return done.stderr


class TestConfigureLogging:
    @pytest.mark.parametrize("kind", ["text", "json"])
    def test_shows_no_secret_and_no_local_variable(self, kind):
        said = lines(kind)
        assert "ValueError: bad" in said
        assert "s3cr3t" not in said
        assert "hunter2" not in said.replace('password = "hunter2"', "")

    def test_writes_one_json_object_a_line_with_the_trace(self):
        first, second, third = (json.loads(line) for line in lines("json").splitlines())
        assert (first["event"], first["route"], first["trace_id"]) == ("door.opened", "/sign-in", "abc123")
        assert first["session_token"] == first["Authorization"] == "[redacted]"
        assert (second["event"], second["logger"]) == ("said so", "foreign")
        assert "Traceback" in third["exception"]
