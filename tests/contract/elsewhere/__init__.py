"""Connectors that stand in no catalogue: written from docs/connectors.md alone, to prove that the page is enough."""
