"""Rules of one capability: no database, no network, milliseconds."""
