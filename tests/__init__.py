"""Every proof of the house; `docs/contributing.md` says which kind of test lives in which folder."""
