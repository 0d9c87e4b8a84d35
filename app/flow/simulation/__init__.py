"""What walks through a definition are made of: what is due in a state, and the edges that chance seldom finds."""
