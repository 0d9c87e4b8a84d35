"""A partner's own overlays brought to another version of what they stand on, with a person's word on each conflict."""
