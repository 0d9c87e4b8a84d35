"""Messages with a policy: who is asked before one goes out, what keeps it back, and what is sent. Pure."""
