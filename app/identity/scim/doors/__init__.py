"""The door that directories come through: every request, answer and error in SCIM's own form."""
