"""What the create-tenant flow asks `control` for outside any organisation's scope."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.metadata import control_function

# ruff: noqa: S608 - bodies of our own functions, put together from constants
# Oldest first, but the cells take turns: what waits for one that is away must not hide what waits for the others.
_EACH_CELL = "ORDER BY row_number() OVER (PARTITION BY t.cell_name ORDER BY {by})"
control_function(
    "unfinished_requests",
    arguments="p_older_than interval",
    returns="TABLE (cell_name text, organisation_id uuid, request_key text)",
    body=(
        "SELECT COALESCE(t.cell_name, 'main'), t.organisation_id, t.request_key FROM control.tenant t"
        " WHERE t.state = 'requested' AND t.requested_at < now() - p_older_than"
        f" {_EACH_CELL.format(by='t.requested_at')} LIMIT 50"
    ),
)

control_function(
    "forget_commands",
    arguments="p_lifetime interval",
    returns="void",
    body="DELETE FROM control.command WHERE made_at < now() - p_lifetime",
)

# An organisation counts with all that are below it. Whoever asks holds the quota's lock until the commit, so that two
# at once are counted one after the other; without a quota nothing is locked or counted.
control_function(
    "exceeded_quota",
    arguments="p_organisation uuid",
    returns="TABLE (own boolean, quota int, used bigint)",
    language="plpgsql",
    partner=True,
    body="""
    DECLARE bound record;
    BEGIN
        FOR bound IN
            SELECT o.id, (o.limits->>'tenants')::int AS most FROM control.org_edge e
            JOIN control.organisation o ON o.id = e.ancestor_id
            WHERE e.descendant_id = p_organisation AND o.limits ? 'tenants'
              AND p_organisation IN (SELECT control.organisations_below()) ORDER BY o.id
        LOOP
            PERFORM pg_advisory_xact_lock(hashtextextended('quota:' || bound.id, 0));
            SELECT bound.id = p_organisation, bound.most, count(*) INTO own, quota, used
            FROM control.org_edge e JOIN control.tenant t ON t.organisation_id = e.descendant_id
            WHERE e.ancestor_id = bound.id AND t.kind = 'customer' AND t.state NOT IN ('shredded', 'dropped');
            IF used > quota THEN RETURN NEXT; RETURN; END IF;
        END LOOP;
    END""",
)

control_function(
    "tenants_behind",
    arguments="p_older_than interval",
    returns="TABLE (cell_name text, organisation_id uuid, tenant_id uuid)",
    body=(
        "SELECT COALESCE(t.cell_name, 'main'), t.organisation_id, t.id FROM control.tenant t"
        " WHERE t.behind AND t.state <> 'requested' AND t.changed_at < now() - p_older_than"
        f" {_EACH_CELL.format(by='t.changed_at')} LIMIT 200"
    ),
)
control_function(
    "organisations_of",
    arguments="p_tenants uuid[]",
    returns="TABLE (tenant_id uuid, organisation_id uuid)",
    body="SELECT t.id, t.organisation_id FROM control.tenant t WHERE t.id = ANY(p_tenants)",
)
control_function(
    "open_erasures",
    arguments="p_older_than interval",
    returns="TABLE (cell_name text, organisation_id uuid, tenant_id uuid)",
    body=(
        "SELECT COALESCE(t.cell_name, 'main'), e.organisation_id, e.tenant_id FROM control.erasure e"
        " JOIN control.tenant t ON t.id = e.tenant_id"
        " WHERE e.state IN ('approved', 'shredded') AND e.decided_at < now() - p_older_than"
        f" {_EACH_CELL.format(by='e.decided_at')} LIMIT 50"
    ),
)
control_function(
    "open_transfers",
    arguments="p_older_than interval",
    returns="TABLE (organisation_id uuid, transfer_id uuid)",
    body=(
        "SELECT t.organisation_id, t.id FROM control.transfer t"
        " WHERE t.state IN ('queued', 'running') AND t.requested_at < now() - p_older_than"
        " ORDER BY t.requested_at LIMIT 200"
    ),
)
# Of files in the folder of bundles: those nobody may fetch or needs any more. `known` false: no row was made of it, or
# not yet.
control_function(
    "idle_bundles",
    arguments="p_ids uuid[]",
    returns="TABLE (transfer_id uuid, known boolean)",
    body=(
        "SELECT f.id, t.id IS NOT NULL FROM unnest(p_ids) AS f (id) LEFT JOIN control.transfer t ON t.id = f.id"
        " LEFT JOIN control.tenant n ON n.id = t.tenant_id"
        " WHERE t.id IS NULL OR t.state IN ('failed', 'cancelled') OR (t.direction = 'in' AND t.state = 'done')"
        " OR (t.direction = 'out' AND (t.expires_at <= now() OR n.state IN ('shredded', 'dropped')))"
    ),
)
# Where a tenant stands in control beside its own line: who belongs to it, what is listed of it, what leads to it.
control_function(
    "forget_tenant",
    arguments="p_tenant uuid",
    returns="void",
    language="plpgsql",
    body="""
    DECLARE belonged uuid[]; someone uuid;
    BEGIN
        WITH gone AS (DELETE FROM control.membership m WHERE m.tenant_id = p_tenant RETURNING m.person_id)
        SELECT array_agg(g.person_id) INTO belonged FROM gone g;
        belonged := COALESCE(belonged, '{}') || control.forget_directories(p_tenant);
        DELETE FROM control.onboarding_card c WHERE c.tenant_id = p_tenant;
        DELETE FROM control.work_item w WHERE w.tenant_id = p_tenant;
        DELETE FROM control.hook h WHERE h.tenant_id = p_tenant;
        PERFORM control.forget_machines_of(p_tenant);
        PERFORM control.forget_feeds_of(p_tenant);
        DELETE FROM control.delegation_index d WHERE d.tenant_id = p_tenant;
        -- Its identity providers, with everybody whom they know by a name of theirs.
        DELETE FROM control.session s WHERE s.reach_tenant_id = p_tenant
            OR s.connection_id IN (SELECT c.id FROM control.sso_connection c WHERE c.tenant_id = p_tenant);
        DELETE FROM control.sso_connection c WHERE c.tenant_id = p_tenant;
        -- Answers that are kept for who asks again may hold its name.
        DELETE FROM control.command c WHERE c.tenant_ids @> ARRAY[p_tenant];
        -- Those of a build that did not write whose they are: none is left after 72 hours, and the index is empty.
        DELETE FROM control.command c WHERE c.tenant_ids IS NULL AND c.body IS NOT NULL
            AND position(convert_to(p_tenant::text, 'UTF8') IN c.body) > 0;
        FOREACH someone IN ARRAY COALESCE(belonged, '{}') LOOP
            CONTINUE WHEN EXISTS (SELECT FROM control.membership m WHERE m.person_id = someone)
                OR EXISTS (SELECT FROM control.assignment a WHERE a.person_id = someone);
            BEGIN  -- who belongs to nothing any more is not known any more
                DELETE FROM control.session s WHERE s.person_id = someone;
                DELETE FROM control.sign_in_link l WHERE l.person_id = someone;
                DELETE FROM control.sso_identity i WHERE i.person_id = someone;
                DELETE FROM control.person p WHERE p.id = someone;
            EXCEPTION WHEN foreign_key_violation THEN NULL;  -- invited somewhere else at this moment: they stay
            END;
        END LOOP;
    END""",
)
# What a transaction that was under way has written of a tenant after it was forgotten.
control_function(
    "forget_dropped",
    arguments="",
    returns="void",
    body=(
        "SELECT control.forget_tenant(late.tenant_id) FROM ("
        "SELECT m.tenant_id FROM control.membership m UNION SELECT c.tenant_id FROM control.onboarding_card c"
        " UNION SELECT w.tenant_id FROM control.work_item w"
        " UNION SELECT h.tenant_id FROM control.hook h UNION SELECT a.tenant_id FROM control.service_account a"
        " UNION SELECT d.tenant_id FROM control.delegation_index d"
        " UNION SELECT s.tenant_id FROM control.sso_connection s) late"
        " JOIN control.tenant t ON t.id = late.tenant_id AND t.state = 'dropped'"
    ),
)


def unfinished_requests(session: Session, *, seconds: int) -> list[tuple[str, UUID, str]]:
    """(cell, organisation, key) of what was left half done at least `seconds` ago; in a lookup scope."""
    rows = session.execute(
        text("SELECT * FROM control.unfinished_requests(make_interval(secs => :seconds))"), {"seconds": seconds}
    )
    return [(row.cell_name, row.organisation_id, row.request_key) for row in rows]


control_function(
    "find_organisation",
    arguments="p_slug text",
    returns="uuid",
    body="SELECT o.id FROM control.organisation o WHERE o.slug = p_slug AND o.state = 'active'",
)


def find_organisation(session: Session, slug: str) -> UUID | None:
    """The active organisation of that slug; in a lookup scope."""
    found: UUID | None = session.execute(text("SELECT control.find_organisation(:slug)"), {"slug": slug}).scalar()
    return found


def tenants_behind(session: Session, *, seconds: int) -> list[tuple[str, UUID, UUID]]:
    """(cell, organisation, tenant) whose cell was not told of a change for `seconds`; in a lookup scope."""
    rows = session.execute(text("SELECT * FROM control.tenants_behind(make_interval(secs => :s))"), {"s": seconds})
    return [(row.cell_name, row.organisation_id, row.tenant_id) for row in rows]


def organisations_of(session: Session, ids: list[UUID]) -> dict[UUID, UUID]:
    """Whose each of these tenants is, as far as the directory knows them; in a lookup scope."""
    rows = session.execute(text("SELECT * FROM control.organisations_of(:ids)"), {"ids": ids})
    return {row.tenant_id: row.organisation_id for row in rows}


def open_erasures(session: Session, *, seconds: int) -> list[tuple[str, UUID, UUID]]:
    """(cell, organisation, tenant) that two people agreed to erase `seconds` ago, and that is not dropped yet."""
    rows = session.execute(text("SELECT * FROM control.open_erasures(make_interval(secs => :s))"), {"s": seconds})
    return [(row.cell_name, row.organisation_id, row.tenant_id) for row in rows]


def open_transfers(session: Session, *, seconds: int) -> list[tuple[UUID, UUID]]:
    """(organisation, transfer) of what was asked for `seconds` ago and has not ended; in a lookup scope."""
    rows = session.execute(text("SELECT * FROM control.open_transfers(make_interval(secs => :s))"), {"s": seconds})
    return [(row.organisation_id, row.transfer_id) for row in rows]


def idle_bundles(session: Session, ids: list[UUID]) -> list[tuple[UUID, bool]]:
    """(transfer, whether a row knows it) of those files that nobody needs any more; in a lookup scope."""
    rows = session.execute(text("SELECT * FROM control.idle_bundles(CAST(:ids AS uuid[]))"), {"ids": ids})
    return [(row.transfer_id, row.known) for row in rows]
