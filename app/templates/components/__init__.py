"""Components: milestones or tasks written once and included by templates. Pure; who finds them is handed in."""

from app.templates.components.expansion import FindComponent, expand, has_includes, no_components
from app.templates.components.reading import Component, read_component

__all__ = ["Component", "FindComponent", "expand", "has_includes", "no_components", "read_component"]
