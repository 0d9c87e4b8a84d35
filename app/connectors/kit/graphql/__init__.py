"""Actions of systems that speak GraphQL: their documents, what an answer says, what a query costs."""
