"""Rules about the code itself: no database, no network. Each rule says why it exists and is shown to catch a breach."""
