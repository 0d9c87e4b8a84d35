"""File exchange in the kit: `sftp` reaches a folder, `tables` reads and writes CSV, `line` answers the runner."""
