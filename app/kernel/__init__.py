"""Shared words of the house: Work, outbox, jobs, timers, ids, errors, paging, guarded HTTP. Knows no capability."""
