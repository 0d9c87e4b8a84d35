"""Setting connections up: saved in the tenant first, then in `control`; tried out, with reasons in plain words."""
