"""A trail as a file that proves itself: written from rows, verified with neither database nor network."""
