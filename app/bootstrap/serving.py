"""The web process: Uvicorn in our own process, so that no child of it can survive; streams end before it does."""

from __future__ import annotations

import socket
from types import FrameType

import uvicorn

from app.asgi import create_app
from app.bootstrap.wiring import Process
from app.web.streams import Streams


class Server(uvicorn.Server):
    """Ends open streams at the first signal: they say goodbye themselves and shutdown has nothing to wait for."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Tell every stream to end, then stop as Uvicorn does."""
        self._streams.close()
        super().handle_exit(sig, frame)


def run_web(process: Process) -> int:
    """Serve until told to stop."""
    settings = process.settings
    app = create_app(process.runtime, settings)
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        fd=None,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        lifespan="on",
    )
    server = Server(config, process.runtime.service(Streams))
    inherited = [socket.socket(fileno=settings.http_socket)] if settings.http_socket is not None else None
    try:
        server.run(sockets=inherited)
    except KeyboardInterrupt:
        pass  # uvicorn raises the signal again once it has stopped; by then all is done
    finally:
        process.close()
    return 0
