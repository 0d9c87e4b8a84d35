"""The JSON doors of templates: what a partner offers, documents checked and published, upgrades of lines."""
