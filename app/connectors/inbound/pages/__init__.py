"""The pages of messages that come in."""
