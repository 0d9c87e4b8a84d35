"""Slack: tells a channel what has happened. Its API takes no key, so a lost answer is a question for a person."""
