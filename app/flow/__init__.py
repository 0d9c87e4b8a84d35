"""The pure engine: what an onboarding is, and what follows from an event. No database, no network, no clock.

Nouns: `Definition` (a compiled template version), `State` (one onboarding), `Event` (what happened), `Command` (what
the running part is asked to do), `ItemChange` (one row of the item tree that changed).
Verbs: `reading.read_definition`, `decide.decide`, `decide.replay`, `simulate.simulate`.

The caller (app/onboarding) stores `Decision.state` and every event in the journal, copies `Decision.changes` to its
item rows one to one, and carries out `Decision.commands` in the same transaction (timers, runs, messages, exceptions).
"""
