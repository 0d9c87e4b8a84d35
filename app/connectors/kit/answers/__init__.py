"""From an answer to its meaning: the error table, the pages of a list, what is renamed on the way."""
