"""The create-tenant flow, killed between its commits."""
