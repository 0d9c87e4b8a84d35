"""Measures the budgets of the design on real servers with fsync on; `docs/benchmarks.md` says how to read it."""
