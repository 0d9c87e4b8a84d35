"""The HTML doors of the marketplace: find and install, offer, import, and for the operator's people review."""
