"""Scorecards, go/no-go and verdicts: stored decisions that anyone can compute again. Verbs: score, decide."""
