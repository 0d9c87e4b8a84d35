"""Shared words of the house: Work, outbox, jobs, timers, ids, errors, paging, guarded outbound HTTP. Knows no capability."""
