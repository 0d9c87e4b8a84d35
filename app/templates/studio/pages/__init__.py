"""The HTML doors of the studio."""

from app.templates.studio.pages.comparing import ComparePages
from app.templates.studio.pages.drafts import DraftPages
from app.templates.studio.pages.simulating import SimulationPages
from app.templates.studio.pages.starting import StartPages

__all__ = ["ComparePages", "DraftPages", "SimulationPages", "StartPages"]
