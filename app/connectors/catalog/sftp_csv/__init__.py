"""CSV files in a folder of an SFTP server."""
