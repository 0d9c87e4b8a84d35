"""Rules of the marketplace, without a database."""
