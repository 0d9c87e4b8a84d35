"""What lies sealed: files as people hand them over."""
