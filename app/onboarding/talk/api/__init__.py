"""The JSON doors of comments, of watching and of reminders."""
