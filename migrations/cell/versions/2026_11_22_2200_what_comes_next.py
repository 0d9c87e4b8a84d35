"""the next jobs, and the due timers of one tenant, are found without looking at all others

Expand: the previous code finds its jobs by the new index as well.
"""

from alembic import op

revision = "cell_0006"
down_revision = "cell_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_timer_tenant_due",
        "timer",
        ["tenant_id", "due_at"],
        schema="cell",
        postgresql_where="state = 'waiting'",
        if_not_exists=True,
    )
    op.create_index(
        "ix_job_next", "job", ["run_at", "id"], schema="cell", postgresql_where="state = 'ready'", if_not_exists=True
    )
    op.drop_index("ix_job_ready", table_name="job", schema="cell", if_exists=True)


def downgrade() -> None:
    op.create_index("ix_job_ready", "job", ["run_at"], schema="cell", postgresql_where="state = 'ready'")
    op.drop_index("ix_job_next", table_name="job", schema="cell")
    op.drop_index("ix_timer_tenant_due", table_name="timer", schema="cell")
