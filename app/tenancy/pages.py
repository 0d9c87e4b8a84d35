"""The operator's pages, on the platform's own host."""

from typing import Any

from litestar import Controller, Request, Response, get

from app.web.begin import NothingHere, site_of
from app.web.page.gallery import gallery_context
from app.web.responses import page
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]


class GalleryPages(Controller):
    """Every component in every state: for whoever builds pages, and for partners who choose a brand."""

    opt = {"door": "public"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/gallery", sync_to_thread=True)
    def gallery(self, request: PageRequest) -> Response[str]:
        """The kit in this host's brand, on the platform's own host only."""
        if site_of(request).kind != "platform":
            raise NothingHere(mark("Nothing is served under this address."))
        return page(request, "web/gallery.html", gallery_context())
