"""The JSON doors of tenants, how they answer, and what the OpenAPI document says of them."""
