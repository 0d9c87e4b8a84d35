"""Letters that wait for their reader's working time, and what sends them when it comes."""
