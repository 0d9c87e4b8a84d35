"""The outside of thousands of connections, as a program of its own: a system that answers after a while.

It speaks the wire of the catalogue's product admin for one question, notes when each token was first seen, and says
so when it is asked at `/__seen`. Times are of the machine's monotonic clock, which all programs share.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import Final

_ANSWER: Final = json.dumps({"id": "acme", "name": "Acme"}).encode()


class Peer:
    """Answers each request after `delay` seconds, however many there are at once."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.seen: dict[str, float] = {}
        self.open = self.most = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request of one connection, as the product sends them."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            body = self._told() if head.startswith("GET /__seen") else await self._answer(head)
            length = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            writer.write(f"{length}Connection: close\r\n\r\n".encode() + body)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _answer(self, head: str) -> bytes:
        token = next(
            (line[22:] for line in head.split("\r\n") if line.lower().startswith("authorization: bearer ")), ""
        )
        self.seen.setdefault(token, time.monotonic())
        self.open += 1
        self.most = max(self.most, self.open)
        await asyncio.sleep(self.delay)
        self.open -= 1
        return _ANSWER

    def _told(self) -> bytes:
        told = json.dumps({"seen": self.seen, "most": self.most}).encode()
        self.seen, self.most = {}, 0
        return told


async def main() -> None:
    """Serve until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, required=True)
    peer = Peer(parser.parse_args().delay)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201  who started it reads its port
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
