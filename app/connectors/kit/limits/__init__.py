"""Who may send now: budgets of a connection, what its peer asks for, and the breaker for one that fails."""
