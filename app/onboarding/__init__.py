"""Running work: items, gates, exceptions, the journal. Verbs: start, complete, decide, resolve. For every portal."""
