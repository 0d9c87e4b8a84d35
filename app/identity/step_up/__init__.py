"""Proving again who one is, right before something of high impact: an authenticator, a recovery code, the mailbox."""
