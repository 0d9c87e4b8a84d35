"""Mail as it travels: composed, sent over a real SMTP connection, found again in the sink."""
