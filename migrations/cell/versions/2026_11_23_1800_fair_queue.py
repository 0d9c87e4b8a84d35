"""what each tenant has had of the workers, caps of what bears only so many jobs at once, workers that a job has cost

Expand: the previous code names its columns, hands out by time as before and leaves the new tables alone.
"""

from alembic import op
import sqlalchemy as sa

revision = "cell_0008"
down_revision = "cell_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (sa.Column("cap_key", sa.Text()), sa.Column("cap_most", sa.Integer()), sa.Column("deaths", sa.Integer())):
        op.add_column("job", column, schema="cell", if_not_exists=True)
    op.create_index(
        "ix_job_flow",
        "job",
        ["tenant_id", "queue", sa.text("COALESCE(cap_key, '')"), "run_at", "id"],
        schema="cell",
        postgresql_where="state = 'ready'",
        if_not_exists=True,
    )
    op.create_index(
        "ix_job_ended",
        "job",
        ["tenant_id", "kind"],
        schema="cell",
        postgresql_where="state in ('failed', 'poisoned', 'cancelled')",
        if_not_exists=True,
    )
    op.create_table(
        "share",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("vtime", sa.Float(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "queue", name=op.f("pk_share")),
        schema="cell",
        if_not_exists=True,
    )
    op.create_table(
        "pace",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("spent", sa.Float(), nullable=False),
        sa.Column("reached", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("queue", name=op.f("pk_pace")),
        schema="cell",
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("pace", schema="cell")
    op.drop_table("share", schema="cell")
    op.drop_index("ix_job_ended", table_name="job", schema="cell")
    op.drop_index("ix_job_flow", table_name="job", schema="cell")
    for column in ("deaths", "cap_most", "cap_key"):
        op.drop_column("job", column, schema="cell")
