"""The guided page of an integration on its way live."""
