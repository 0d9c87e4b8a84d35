"""The ground floor: who a tenant is, where its data lives, the only way to a session. Imports nothing from `app`."""
