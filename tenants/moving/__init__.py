"""What it takes to move a tenant: holding it still, and reading and writing its rows, whatever tables it has."""
