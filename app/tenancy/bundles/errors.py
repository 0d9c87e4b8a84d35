"""What can be wrong with a bundle, and with moving a tenant: each names the place and the mend."""

from __future__ import annotations

from app.kernel.errors import Conflict, Forbidden, Invalid, Unavailable


class BundleBroken(Invalid):
    """The file is no whole, unchanged bundle. `part` is the first place where that shows."""

    def __init__(self, part: str, trouble: str) -> None:
        super().__init__(f"This bundle cannot be used. {part}: {trouble} Fetch it again.")
        self.part = part
        self.extensions = {"part": part}


class SenderUnknown(Forbidden):
    """The bundle is whole, and signed by somebody else than the one who is trusted."""


class BundleForOthers(Forbidden):
    """The bundle is sealed for another installation."""


class RevisionDiffers(Conflict):
    """The bundle was written by a build whose tenants look otherwise than ours."""


class TenantIsHere(Conflict):
    """The tenant is in this installation already, or somebody else's of the same id."""


class HomeStays(Conflict):
    """A home is part of its installation and does not move."""


class ExportUnderWay(Conflict):
    """The tenant is being exported into another file, or this file belongs to another export."""


class FileInTheWay(Conflict):
    """The file exists already, or another process is writing it."""


class SecretsStay(Forbidden):
    """People export what they may see; secrets travel only by an operator's export."""


class TenantBusy(Unavailable):
    """Work that began before the export has not come to an end yet."""


class RowTooLarge(Conflict):
    """A single row is larger than a part of a bundle may be."""
