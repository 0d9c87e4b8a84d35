"""Timers that came due: made jobs by the dispatcher, fired by workers, many of one tenant in a transaction."""
