"""SCIM 2.0 (RFC 7643, 7644): an organisation's or a customer's own directory says who works there, and it follows."""
