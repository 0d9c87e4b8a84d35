"""Three migration trees: control, cell, tenant. Imports `tenants` and model modules, nothing else."""
