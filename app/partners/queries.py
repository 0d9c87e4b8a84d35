"""Reads about organisations: which site a host is, and in which brand."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.kernel.errors import Missing
from app.partners.brand import Brand
from app.partners.rules import read_brand
from app.web.hosts import Site
from tenants.engines import Databases
from tenants.registry import find_host
from tenants.sessions import DatabaseAway, lookup_session

_FRESH = 2.0  # seconds a brand is shown without asking again
_STALE = 600.0  # seconds it may still be shown while the database is away
_MOST = 10_000  # hosts; unknown ones are never kept, so nobody can push the known ones out

_MAIN_HOST = text("SELECT control.find_main_host(:organisation)")


class NoSite(Missing):
    """The organisation has no host on which its pages could be shown."""


@dataclass(frozen=True, slots=True)
class _Kept:
    site: Site
    brand: Brand
    since: float


class SiteDirectory:
    """Hosts to sites and brands, each asked for at most every two seconds (DESIGN 16: brands may be cached).

    Fulfils `app.web.hosts.Sites`. One for each process; safe in threads.
    """

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def peek(self, host: str) -> Site | None:
        """The site if it was asked for just now. Never waits."""
        kept = self._kept.get(host)
        return kept.site if kept and time.monotonic() - kept.since < _FRESH else None

    def find_site(self, host: str) -> Site | None:
        """The site of a host name, or None. While the database is away, what was known; else DatabaseAway."""
        kept = self._find(host)
        return kept.site if kept else None

    def find_brand(self, host: str, *, fresh: bool = False) -> Brand | None:
        """The brand of a host name, from which its stylesheet is made; `fresh` asks the database in any case."""
        kept = self._find(host, fresh=fresh)
        return kept.brand if kept else None

    def site_of(self, organisation_id: UUID) -> Site:
        """Where an organisation's pages are, for links in its mails. Raises NoSite."""
        with lookup_session(self._databases) as (session, _now):
            host = session.execute(_MAIN_HOST, {"organisation": organisation_id}).scalar_one_or_none()
        site = self.find_site(str(host)) if host else None
        if site is None:
            raise NoSite("This organisation has no host name, so a link could lead nowhere. Give it one first.")
        return site

    def _find(self, host: str, *, fresh: bool = False) -> _Kept | None:
        kept, now = self._kept.get(host), time.monotonic()
        if kept and not fresh and now - kept.since < _FRESH:
            return kept
        try:
            with lookup_session(self._databases) as (session, _now):
                entry = find_host(session, host)
        except DatabaseAway:
            if kept and now - kept.since < _STALE:
                return kept
            raise
        with self._lock:
            self._kept.pop(host, None)
            if entry is None:
                return None
            brand, shown = read_brand(entry.name, entry.tokens)
            site = Site(host, entry.organisation_id, kind=entry.kind, slug=entry.slug, name=entry.name, brand=shown)
            kept = self._kept[host] = _Kept(site, brand, now)
            if len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return kept
