"""Finds every folder of the catalogue and checks it at start-up; there is no shared list to edit."""

from __future__ import annotations

from pathlib import Path

from app.connectors.kit.contract import Connector, read_connector
from app.connectors.kit.manifest import Action, Manifest
from app.kernel.errors import Missing

CATALOG = Path(__file__).parents[1] / "catalog"


class ConnectorNotFound(Missing):
    """No connector of that name, or it has no such action."""


class Registry:
    """Every connector of this installation, by provider."""

    def __init__(self, connectors: dict[str, Connector]) -> None:
        self.connectors = connectors

    @classmethod
    def load(cls, catalog: Path = CATALOG) -> Registry:
        """Read the whole catalogue. Raises ManifestWrong for the first folder that breaks the contract."""
        folders = sorted(path.parent for path in catalog.glob("*/manifest.yaml"))
        return cls({folder.name: read_connector(folder) for folder in folders})

    def manifests(self) -> dict[str, Manifest]:
        """Every connector's manifest, by provider."""
        return {name: connector.manifest for name, connector in self.connectors.items()}

    def get(self, provider: str) -> Connector:
        """The connector of that provider. Raises ConnectorNotFound."""
        if (found := self.connectors.get(provider)) is None:
            raise ConnectorNotFound(f"There is no connector {provider!r} in this installation.")
        return found

    def get_action(self, provider: str, action: str) -> tuple[Connector, Action]:
        """A connector and one of its actions. Raises ConnectorNotFound."""
        connector = self.get(provider)
        if (found := connector.action(action)) is None:
            raise ConnectorNotFound(f"The connector {provider!r} has no action {action!r}.")
        return connector, found
