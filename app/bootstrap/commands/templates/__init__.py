"""`slipway templates`: the tools of template authors. They read files; no settings, no database, no network."""
