"""The HTML doors of service accounts: of a partner, and of one workspace."""
