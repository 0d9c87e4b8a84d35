"""Changes of a form applied to a YAML text, so that source and structure never disagree. Pure."""
