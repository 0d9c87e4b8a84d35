"""What the operator sells and allows: plans of tenants, quotas of partners. Written with the owner's login."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import text

from tenants.schema.install import open_owner


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan as it is stored, and how many tenants are on it."""

    key: str
    name: str
    weight: int
    limits: Mapping[str, Any]
    tenants: int = 0


def set_plan(control_url: str, plan: PlanRow) -> tuple[int, int]:
    """Make the plan, or change it. Returns how many tenants follow, and how many could not: said again, they do.

    The cells of those that follow are told by the platform's next round; a tenant that is being changed at this very
    moment cannot. Raises DatabaseAway.
    """
    with open_owner(control_url) as connection:
        stored = {"key": plan.key, "name": plan.name, "weight": plan.weight, "limits": Jsonb(dict(plan.limits))}
        connection.execute(_SET, stored)
        told = connection.execute(_TELL, {"key": plan.key}).rowcount
        return told, connection.execute(_MISSED, {"key": plan.key}).scalar_one()


def list_plans(control_url: str) -> list[PlanRow]:
    """Every plan, by key. Raises DatabaseAway."""
    with open_owner(control_url) as connection:
        return [PlanRow(*row) for row in connection.execute(_LIST)]


def limit_partner(control_url: str, slug: str, tenants: int | None) -> None:
    """Set how many customers' tenants a partner may have, with all below it; None: as many as it likes.

    Raises LookupError where there is no such partner; DatabaseAway.
    """
    _limit(control_url, slug, "tenants", tenants)


def grant_partner(control_url: str, slug: str, roles: Sequence[str] | None) -> None:
    """Set which roles its staff, and that of all below it, may have in customers' tenants; None: every one.

    It counts from their next request on. Raises as `limit_partner`.
    """
    _limit(control_url, slug, "roles", None if roles is None else sorted(roles))


def _limit(control_url: str, slug: str, name: str, value: object) -> None:
    limits = Jsonb({} if value is None else {name: value})
    with open_owner(control_url) as connection:
        if not connection.execute(_LIMIT, {"slug": slug, "name": name, "limits": limits}).rowcount:
            raise LookupError(f"There is no partner called {slug}.")


def list_partners(control_url: str) -> list[tuple[str, str, int | None, int, list[str] | None]]:
    """Every partner: short name, name, quota, how many customers' tenants count towards it, and the roles granted.

    Raises DatabaseAway.
    """
    with open_owner(control_url) as connection:
        return [(row.slug, row.name, row.quota, row.used, row.roles) for row in connection.execute(_PARTNERS)]


_SET = text(
    "INSERT INTO control.plan (key, name, weight, limits, made_at) VALUES (:key, :name, :weight, :limits, now())"
    " ON CONFLICT (key) DO UPDATE SET name = :name, weight = :weight, limits = :limits"
)
# Ids of changes are in the order of time, as those of trail entries are: first the milliseconds, then chance.
_TELL = text("""
    UPDATE control.tenant t SET behind = true, changed_at = now(), change = jsonb_build_object(
        'id', (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
            || substr(replace(gen_random_uuid()::text, '-', ''), 13))::uuid,
        'event', 'tenancy.tenant.changed', 'reason', '', 'facts', jsonb_build_object('changed', '["plan"]'::jsonb),
        'trace_id', replace(gen_random_uuid()::text, '-', ''),
        'by', jsonb_build_object('kind', 'service', 'id', '00000000-0000-0000-0000-000000000000', 'name', 'operator'))
    WHERE t.plan_key = :key AND t.state IN ('active', 'suspended', 'exporting') AND t.behind IS NOT TRUE
        AND NOT EXISTS (SELECT FROM control.erasure e WHERE e.tenant_id = t.id AND e.state = 'approved')
""")
_MISSED = text(
    "SELECT count(*) FROM control.tenant t WHERE t.plan_key = :key AND t.behind AND t.changed_at < now()"
    " AND t.state IN ('active', 'suspended', 'exporting')"
)
_LIST = text(
    "SELECT p.key, p.name, p.weight, p.limits, (SELECT count(*) FROM control.tenant t WHERE t.plan_key = p.key)"
    " FROM control.plan p ORDER BY p.key"
)
_LIMIT = text(
    "UPDATE control.organisation SET limits = NULLIF(COALESCE(limits, '{}') - CAST(:name AS text) || :limits, '{}')"
    " WHERE slug = :slug AND kind = 'partner'"
)
_PARTNERS = text("""
    SELECT o.slug, o.name, (o.limits->>'tenants')::int AS quota, o.limits->'roles' AS roles, (
        SELECT count(*) FROM control.org_edge e JOIN control.tenant t ON t.organisation_id = e.descendant_id
        WHERE e.ancestor_id = o.id AND t.kind = 'customer' AND t.state NOT IN ('shredded', 'dropped')) AS used
    FROM control.organisation o WHERE o.kind = 'partner' ORDER BY o.slug
""")
