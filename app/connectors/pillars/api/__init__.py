"""The JSON doors of an integration on its way live."""
