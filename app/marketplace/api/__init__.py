"""The JSON doors of the marketplace: find, install, import, offer, and for the operator's people review."""
