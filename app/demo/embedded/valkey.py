"""The embedded Valkey: wake-ups and counters only, so it keeps nothing on disk."""

from __future__ import annotations

import signal
from pathlib import Path
from urllib.parse import quote

import redis

from app.demo.embedded.server import Server


class Valkey(Server):
    """Valkey on one Unix socket, no port."""

    name = "valkey"
    death_signal = signal.SIGTERM
    ladder = ((signal.SIGTERM, 0.7), (signal.SIGKILL, 0.3))

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.ground.folder.sockets / "valkey.sock"

    @property
    def url(self) -> str:
        """For redis-py: the socket, logical database 0."""
        return f"unix://{quote(str(self.socket))}?db=0"

    def start(self) -> None:
        """Start it and wait for its PONG. Raises ServerFailed."""
        self.socket.unlink(missing_ok=True)
        home = str(self.ground.folder.valkey)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": home,
            "save": "",
            "appendonly": "no",
            "databases": "256",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.launch([str(self.ground.binaries.valkey), *flags], self.ground.folder.valkey)
        self.wait_until(self._answers)

    def _answers(self) -> bool:
        client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()
