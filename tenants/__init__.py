"""The ground floor: who a tenant is, where its data lives, and the only way to a session. Imports nothing from `app`."""
