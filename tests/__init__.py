"""Every proof of the house; `docs/testing.md` says which kind of test lives in which folder."""
