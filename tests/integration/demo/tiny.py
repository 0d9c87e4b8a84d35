"""Tiny real programs for runs of the demo: `python -m tests.integration.demo.tiny <what> …`. No test lives here."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

# Keeps a core busy for hours without writing anything.
BUSY = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b, generate_series(1, 100000) c"


class Ready(BaseHTTPRequestHandler):
    """Answers every request, /readyz too."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"pid {os.getpid()} of {os.environ['SLIPWAY_PUBLIC_URL']}".encode())

    def log_message(self, *_):
        return


def say(text):
    """One line for whoever started us, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def web():
    """Serves on the inherited socket."""
    server = HTTPServer(("127.0.0.1", 0), Ready, bind_and_activate=False)
    server.socket = socket.socket(fileno=int(os.environ["SLIPWAY_HTTP_SOCKET"]))
    server.serve_forever()


def worker():
    """Has a child of its own, and closes its output while it goes on."""
    other = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    say(f"grandchild {other.pid}")
    os.close(1)
    os.close(2)
    signal.pause()


def stubborn():
    """Will not end when asked, and keeps a database backend busy."""
    import psycopg

    from app.settings import Settings

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with psycopg.connect(Settings.from_environment().control_url) as connection:
        say("busy")
        connection.execute(BUSY)


def once():
    """Ends with a code of its own."""
    say("once is done")
    sys.exit(7)


def throwaway():
    """Makes databases as a test process does, and stays."""
    from tests.cluster import create_databases

    say(create_databases().control_url)
    signal.pause()


def demo():
    """A run of the demo whose children are these programs."""
    from app.demo.command import run_demo

    args = sys.argv[2:]
    names = args.pop(0).split(",")

    def children(settings):
        return [child(name, settings.http_socket if name == "web" else None) for name in names]

    sys.exit(run_demo(args, children=children, once=child("once", waits=True, final=True)))


def child(name, listener=None, **more):
    """One of these programs as a child of the demo."""
    from app.demo.supervisor import Child

    program = (sys.executable, "-m", "tests.integration.demo.tiny", name)
    if listener is None:
        return Child(name=name, argv=program, **more)
    return Child(name=name, argv=program, environment={"SLIPWAY_HTTP_SOCKET": str(listener)}, sockets=(listener,))


if __name__ == "__main__":
    {f.__name__: f for f in (web, worker, stubborn, once, throwaway, demo)}[sys.argv[1]]()
