"""Access tokens of connections: sealed like other secrets, renewed by one worker at a time, or asked of a person."""
