"""Access tokens of connections: sealed like other secrets, renewed by one worker at a time, and what ends in a person."""
