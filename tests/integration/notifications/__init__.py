"""Letters over real SMTP into the sink."""
