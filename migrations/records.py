"""Every model module of the product, imported once, so that the three metadata objects are complete."""

from importlib import import_module

CAPABILITIES = (
    "access",
    "audit",
    "connectors",
    "identity",
    "intake",
    "kernel",
    "marketplace",
    "notifications",
    "onboarding",
    "partners",
    "readiness",
    "templates",
    "tenancy",
    "vault",
)
# Capabilities that declare lookup functions of `control`; `tenants.schema.install` puts them in place.
ROOMS_OF_IDENTITY = ("feeds", "machines", "scim", "sso", "step_up")
LOOKUPS = ("access", "identity", "marketplace", "onboarding", "partners", "tenancy")
MODULES = (
    import_module("tenants.models"),
    import_module("tenants.fleet.models"),
    import_module("tenants.registry"),
    import_module("tenants.cells"),
    *(import_module(f"app.{capability}.models") for capability in CAPABILITIES),
    *(import_module(f"app.identity.{room}.models") for room in ROOMS_OF_IDENTITY),
    *(import_module(f"app.{capability}.lookups") for capability in LOOKUPS),
    *(import_module(f"app.identity.{room}.lookups") for room in ROOMS_OF_IDENTITY),
)
