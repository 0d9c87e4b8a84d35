"""Any JSON API with a collection of records: where it is and what its fields are called is set by each connection."""
