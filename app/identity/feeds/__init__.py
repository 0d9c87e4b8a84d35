"""Private addresses of calendars: who reads dates by a token that opens nothing else."""
