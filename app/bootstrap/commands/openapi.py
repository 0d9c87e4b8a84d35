"""`slipway openapi`: the API's own document, as it is committed beside the manual."""

from __future__ import annotations

import json

from app.bootstrap.routes import make_application
from app.web.wire.openapi import complete


def run_openapi() -> int:
    """Print the document; it needs no installation. Returns the exit code."""
    application = make_application(None)
    print(json.dumps(complete(application.openapi_schema.to_schema()), indent=2, sort_keys=True))
    return 0
