"""A template as one signed file that another installation can take in. Pure: bytes in, bytes out; no paths in it."""
