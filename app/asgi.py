"""The web application: every door behind the host gate. `app.bootstrap.serving` serves it."""

from __future__ import annotations

from litestar.types import ASGIApp

from app.bootstrap.plugins import Metered
from app.bootstrap.routes import make_application
from app.kernel.runtime import Runtime
from app.partners.queries import SiteDirectory
from app.web.hosts import HostGate
from app.web.security import Front


def create_app(runtime: Runtime) -> ASGIApp:
    """The ASGI application of one process. The runtime carries `app.bootstrap.routes.door_services` and a Mailer."""
    application = Metered(make_application(runtime))
    return HostGate(application, sites=runtime.service(SiteDirectory), front=runtime.service(Front))
