"""The web server under load: the JSON read beside a bare handler, and the pages of both sides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from app.asgi import create_app
from app.bootstrap.routes import door_services
from app.identity.operations import create_link, sign_in
from app.kernel.runtime import Runtime
from app.partners.queries import SiteDirectory
from app.web.hosts import Site
from app.web.security import Front
from tenants.tenant import Tenant
from tests.benchmarks.ground import Ground
from tests.benchmarks.load import put_load
from tests.benchmarks.measure import Figure, at_least, ms, percentile, say
from tests.benchmarks.serving import bare_litestar, serving
from tests.factories.main_job import MainJob
from tests.factories.walker import customer_of, walk

_ROUNDS, _SECONDS, _CLIENTS = 3, 3.0, 4
_UNTIL = "task.describe_environment"  # the customer's first


class Reached(NamedTuple):
    """What the doors read of the settings."""

    public_url: str
    redis_url: str
    inbox: Path | None = None
    rate_scale: int = 1000
    queue_age: int = 120
    worker_threads: int = 64


class Stage(NamedTuple):
    """One running onboarding behind a server."""

    job: MainJob
    runtime: Runtime
    site: Site
    tenant: Tenant
    onboarding_id: UUID
    port: int

    def headers(self, person_id: UUID) -> dict[str, str]:
        """What the browser of a person who has signed in sends."""
        link = create_link(self.runtime, self.site, person_id=person_id, next_path="/")
        token = link.rpartition("/")[2]
        signed_in = sign_in(self.runtime.databases, self.site, link_token=token, earlier=None)
        cookie = self.runtime.service(Front).cookie_name("sid")
        return {"host": f"{self.site.host}:{self.port}", "cookie": f"{cookie}={signed_in.token}"}


def measure(ground: Ground) -> Iterator[Figure]:
    """The figures of this group."""
    with _staged(ground) as stage:
        customer = stage.headers(customer_of(stage.job, stage.tenant).id)
        staff = stage.headers(stage.job.lead.id)
        yield from _read(stage, customer)
        path = f"/t/{stage.tenant.id}/onboardings/{stage.onboarding_id}"
        for name, headers in (("customer_status_page", customer), ("partner_onboarding_page", staff)):
            say(f"pages: {name}")
            put_load(stage.port, path, headers, clients=1, seconds=1)  # warm
            load = put_load(stage.port, path, headers, clients=1, seconds=_SECONDS)
            yield Figure(f"{name}_p50", ms(percentile(load.times, 50)), "ms")
            yield Figure(f"{name}_p95", ms(percentile(load.times, 95)), "ms")


def _read(stage: Stage, headers: dict[str, str]) -> Iterator[Figure]:
    """Ours and the bare one in turns, with the same number of connections; medians of the rounds."""
    say(f"pages: the JSON read beside a bare handler, {_ROUNDS} rounds of 2 x {_SECONDS:g} s")
    path = f"/api/v1/tenants/{stage.tenant.id}/onboardings/{stage.onboarding_id}"
    with (
        bare_litestar(stage.job.installation.urls.cell_url, stage.tenant.schema) as app,
        serving(app) as bare_port,
    ):
        theirs = (bare_port, f"/onboardings/{stage.onboarding_id}", {"host": "localhost"})
        sides = {"ours": (stage.port, path, headers), "bare": theirs}
        for port, asked, said in sides.values():
            put_load(port, asked, said, clients=_CLIENTS, seconds=1)  # warm
        rates: dict[str, list[float]] = {name: [] for name in sides}
        alone: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(_ROUNDS):
            for name, (port, asked, said) in sides.items():
                rates[name].append(put_load(port, asked, said, clients=_CLIENTS, seconds=_SECONDS).rate)
                alone[name] += put_load(port, asked, said, clients=1, seconds=1).times
    ours, bare = (percentile(rates[name], 50) for name in sides)
    yield Figure("json_read_rate", ours, "requests/s", at_least(0.5, "ratio"), "bare Litestar", bare)
    ours, bare = (ms(percentile(alone[name], 50)) for name in sides)
    yield Figure("json_read_p50", ours, "ms", None, "bare Litestar", bare)


@contextmanager
def _staged(ground: Ground) -> Iterator[Stage]:
    """A sold deal whose onboarding has passed its handoff: the customer has something to do."""
    say("pages: selling a deal and walking its onboarding past the handoff")
    with ground.main_job() as job:
        deal = job.sell()
        job.tell(deal)
        job.run()
        tenant, onboarding_id = job.started(deal)
        walk(job, tenant, onboarding_id, until=_UNTIL)
        services = door_services(
            job.runtime.databases, Reached("http://localhost:8000", ground.cluster.servers.redis_url)
        )
        runtime = replace(job.runtime, services=job.runtime.services | services)
        site = runtime.service(SiteDirectory).site_of(job.organisation_id)
        with serving(create_app(runtime)) as port:
            yield Stage(job, runtime, site, tenant, onboarding_id, port)
