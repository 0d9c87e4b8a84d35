"""The JSON doors of service accounts, and those where software gets its tokens."""
