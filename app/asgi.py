"""The web application and the process that serves it: every door behind the host gate, Uvicorn without children."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import replace
from types import FrameType

import uvicorn
from litestar.types import ASGIApp, ControllerRouterHandler

from app.bootstrap.plugins import Metered
from app.bootstrap.routes import CONTROLLERS, door_services, make_application
from app.bootstrap.wiring import Running
from app.identity.sso.protocol.provider import Providers
from app.kernel.outbound.client import OutboundClient
from app.kernel.runtime import Runtime
from app.partners.queries import SiteDirectory
from app.web.hosts import HostGate
from app.web.security import Front
from app.web.streams import Streams


def create_app(runtime: Runtime, controllers: Sequence[ControllerRouterHandler] = CONTROLLERS) -> ASGIApp:
    """The ASGI application of one process. The runtime carries `app.bootstrap.routes.door_services` and a Mailer."""
    application = Metered(make_application(runtime, controllers))
    return HostGate(application, sites=runtime.service(SiteDirectory), front=runtime.service(Front))


class Server(uvicorn.Server):
    """Ends open streams at the first signal: they say goodbye themselves and shutdown has nothing to wait for."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Tell every stream to end, then stop as Uvicorn does."""
        self._streams.close()
        super().handle_exit(sig, frame)


def run_web(running: Running) -> int:
    """Serve until told to stop."""
    settings, streams = running.settings, running.runtime.service(Streams)
    more = door_services(running.runtime.databases, settings)
    more[Providers] = Providers(running.runtime.service(OutboundClient))
    config = uvicorn.Config(
        create_app(replace(running.runtime, services={**running.runtime.services, **more})),
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=2,
    )
    inherited = [socket.socket(fileno=settings.http_socket)] if settings.http_socket is not None else None
    streams.start()
    try:
        Server(config, streams).run(sockets=inherited)
    except KeyboardInterrupt:
        pass  # uvicorn raises the signal again once it has stopped; by then all is done
    finally:
        running.close()
    return 0
