"""A small HTTP client that keeps a server busy, as a program of its own: `python -m tests.benchmarks.load`.

Reads one JSON object on standard input, prints one on standard output. Loopback only, bounded in time.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

_LONGEST = 30.0  # seconds of load, whatever was asked


@dataclass(frozen=True, slots=True)
class Load:
    """What came back: answers a second and the seconds of each answer."""

    rate: float
    times: list[float]


def put_load(port: int, path: str, headers: dict[str, str], *, clients: int, seconds: float) -> Load:
    """Ask for one path over `clients` connections for some seconds, in another process. Only a 200 is an answer."""
    asked = {"port": port, "path": path, "headers": headers, "clients": clients, "seconds": seconds}
    command = [sys.executable, "-m", "tests.benchmarks.load"]
    ran = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=False)
    if ran.returncode:
        raise AssertionError(f"no load could be put on {path}: {ran.stderr[-2000:]}")
    return Load(**json.loads(ran.stdout))


def main(asked: dict[str, Any]) -> Load:
    """Put the load on from threads, one connection each."""
    lines = [f"GET {asked['path']} HTTP/1.1", *(f"{name}: {value}" for name, value in asked["headers"].items())]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    seconds = min(float(asked["seconds"]), _LONGEST)
    times: list[float] = []
    troubles: list[str] = []
    began = time.perf_counter()

    def client() -> None:
        try:
            times.extend(_ask(int(asked["port"]), request, until=began + seconds))
        except (OSError, ValueError) as trouble:
            troubles.append(str(trouble))

    threads = [threading.Thread(target=client) for _ in range(int(asked["clients"]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if troubles or not times:
        raise SystemExit("\n".join(troubles) or "no answer at all")
    return Load(rate=len(times) / (time.perf_counter() - began), times=times)


def _ask(port: int, request: bytes, *, until: float) -> list[float]:
    times: list[float] = []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (began := time.perf_counter()) < until:
            line.sendall(request)
            _read_answer(line)
            times.append(time.perf_counter() - began)
    return times


def _read_answer(line: socket.socket) -> None:
    """One whole answer. Raises ValueError when it is not a 200 with a length."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += _more(line)
    head, _, body = got.partition(b"\r\n\r\n")
    first, *headers = head.split(b"\r\n")
    if b" 200 " not in first + b" ":
        raise ValueError(f"{first.decode()} {body[:500].decode(errors='replace')}")
    length = next((int(each[15:]) for each in headers if each.lower().startswith(b"content-length:")), None)
    if length is None:
        raise ValueError("an answer without a length")
    left = length - len(body)
    while left > 0:
        left -= len(_more(line))


def _more(line: socket.socket) -> bytes:
    if not (got := line.recv(65_536)):
        raise ValueError("the server closed the connection")
    return got


if __name__ == "__main__":
    load = main(json.load(sys.stdin))
    json.dump({"rate": load.rate, "times": load.times}, sys.stdout)
