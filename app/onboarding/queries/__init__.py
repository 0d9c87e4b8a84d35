"""Reads of running work, as plain values that pages and the API are made from. One page, one module."""
