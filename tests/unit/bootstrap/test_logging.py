"""What a log line shows, and what it never does. Each in a process of its own: logging is set up once for all."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from app.bootstrap.plugins import mask

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


def lines(kind, program=PROGRAM):
    done = subprocess.run(
        [sys.executable, "-c", program.format(kind=kind)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == ""
    return done.stderr


DEEP = """
import logging, structlog
from app.bootstrap.plugins import configure_logging
configure_logging({kind!r})
log = structlog.get_logger("app.test")
headers = [("x", 1), {{"X-Api-Token": "hidden-deep1"}}, ("cookie", "hidden-pair8")]
log.info("a", request={{"headers": headers, "route": "shown-1"}}, path="/sign-in/hidden-link3-abcdefgh")
log.info("b", answer='{{"client_secret": "hidden-text2", "code": "shown-2"}}')
logging.getLogger("foreign").warning("sent %s to %s", {{"Authorization": "Bearer hidden-arg4.x"}}, "shown-3")
try:
    try:
        raise OSError("https://user:hidden-user5@peer.com/x?access_token=hidden-query6&page=shown-4")
    except OSError as error:
        raise ValueError("Authorization: Basic aGlkZGVuLWJhc2ljNw==") from error
except ValueError:
    log.exception("c", token_count=7)
"""


MANY = """
import logging, structlog, threading
from app.bootstrap.plugins import configure_logging
configure_logging({kind!r})
log = structlog.get_logger("app.test")
def say(number):
    for turn in range(50):
        log.info("said", number=number, turn=turn, long="x" * 500)
logging.getLogger("foreign").warning("%d guests", "no")
threads = [threading.Thread(target=say, args=(number,)) for number in range(8)]
for each in threads: each.start()
for each in threads: each.join()
logging.getLogger("foreign").addFilter(lambda record: False)
logging.getLogger("foreign").warning("filtered")
"""


class TestConfigureLogging:
    def test_writes_whole_lines_of_many_threads_and_outlives_one_that_cannot_be_worded(self):
        said = [line for line in lines("json", MANY).splitlines() if line.startswith("{")]
        found = [json.loads(line) for line in said]
        assert sorted((each["number"], each["turn"]) for each in found) == [(n, t) for n in range(8) for t in range(50)]

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

    @pytest.mark.parametrize("kind", ["text", "json"])
    def test_hides_what_is_deep_in_a_value_in_a_text_in_an_argument_or_in_an_error(self, kind):
        said = lines(kind, DEEP)
        for word in ("hidden-", "aGlkZGVuLWJhc2ljNw"):
            at = said.find(word)
            assert at < 0, said[max(0, at - 80) : at + 40]
        assert all(f"shown-{number}" in said for number in range(1, 5)), said
        assert "user:[redacted]@peer.com" in said
        assert "ValueError: Authorization: Basic [redacted]" in said

    def test_leaves_a_line_that_holds_no_secret_as_it_is(self):
        """What tells people what is the matter: numbers, ids, hosts, the names of what is missing."""
        for line in (
            "worker.job kind=connectors.tokens.renew ms=3.2 trace_id=01a20a522b11712ea5d256ffb46bf673",
            '{"route": "/sign-in/{token}", "event": "the secret of a connection is missing"}',
            "postgresql:///cell?host=/tmp/x",
            "    token = secrets.get(name)",
        ):
            assert mask(None, "", line) == line
