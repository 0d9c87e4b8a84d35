"""The HTML doors of connections. What is typed there is sealed, never shown again."""

from app.connectors.pages.doors import ConnectionPages, ConnectionReturn

__all__ = ["ConnectionPages", "ConnectionReturn"]
