"""A brand's own files: stylesheet and mark, addressed by their content, so that they may be kept for ever."""

from typing import Any

from litestar import Controller, Request, Response, get
from litestar.params import FromPath

from app.partners.brand import Brand, favicon, stylesheet, version
from app.partners.queries import SiteDirectory
from app.web.begin import NothingHere, runtime_of, site_of
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
FOR_EVER = "public, max-age=31536000, immutable"
A_DAY = "public, max-age=86400"
CSS = "text/css"
SVG = "image/svg+xml"


class BrandFiles(Controller):
    """What a brand looks like, made from its few values; nobody's upload is ever served from here."""

    opt = {"door": "public", "quota": None}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/brand/{file:str}", sync_to_thread=True)
    def brand_file(self, request: PageRequest, file: FromPath[str]) -> Response[str]:
        """`{version}.css` and `{version}.svg` of this host's brand; an older version is gone, not wrong."""
        made = _files(_brand(request)).get(file) or _files(_brand(request, fresh=True)).get(file)
        if made is None:
            raise NothingHere(mark("This version of the brand is no longer in use. Load the page again."))
        return Response(made[0], media_type=made[1], headers={"cache-control": FOR_EVER})

    @get("/favicon.ico", sync_to_thread=True)
    def guessed_mark(self, request: PageRequest) -> Response[str]:
        """The mark under the name that browsers guess."""
        return Response(favicon(_brand(request)), media_type=SVG, headers={"cache-control": A_DAY})


def _files(brand: Brand) -> dict[str, tuple[str, str]]:
    """Name to text and kind; each function keeps what it made."""
    return {f"{version(brand)}.css": (stylesheet(brand), CSS), f"{version(brand)}.svg": (favicon(brand), SVG)}


def _brand(request: PageRequest, *, fresh: bool = False) -> Brand:
    """The host's brand; asked anew where another process may have shown a newer one a moment ago."""
    brand = runtime_of(request).service(SiteDirectory).find_brand(site_of(request).host, fresh=fresh)
    if brand is None:
        raise NothingHere(mark("This host has no brand."))
    return brand
