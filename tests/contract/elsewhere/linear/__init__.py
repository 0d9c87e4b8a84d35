"""Linear: issues, by GraphQL."""
