"""first tables

Must run beside the previous code: expand, backfill, contract are three releases (migrations/README.md).
Raise nothing on a second run; take locks under a lock timeout; no backfill here.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'cell_0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('clock',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('shift', sa.Interval(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_clock')),
    schema='cell'
    )
    op.create_table('inbox',
    sa.Column('tenant_id', sa.UUID(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('external_id', sa.Text(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'source', 'external_id', name=op.f('pk_inbox')),
    schema='cell'
    )
    op.create_table('job',
    sa.Column('tenant_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('queue', sa.Text(), nullable=False),
    sa.Column('args', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('lane', sa.Text(), nullable=True),
    sa.Column('lane_seq', sa.Integer(), nullable=True),
    sa.Column('dedupe_key', sa.Text(), nullable=False),
    sa.Column('run_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('worker', sa.Text(), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('trace_id', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_job')),
    schema='cell'
    )
    op.create_index('ix_job_lane', 'job', ['tenant_id', 'lane', 'lane_seq'], unique=False, schema='cell', postgresql_where='lane is not null and finished_at is null')
    op.create_index('ix_job_lease', 'job', ['lease_until'], unique=False, schema='cell', postgresql_where="state in ('dispatched', 'running')")
    op.create_index('ix_job_ready', 'job', ['run_at'], unique=False, schema='cell', postgresql_where="state = 'ready'")
    op.create_index('uq_job_dedupe', 'job', ['tenant_id', 'dedupe_key'], unique=True, schema='cell')
    op.create_table('outbox',
    sa.Column('tenant_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('lane', sa.Text(), nullable=True),
    sa.Column('lane_seq', sa.Integer(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('trace_id', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_outbox')),
    schema='cell'
    )
    op.create_index('ix_outbox_lane', 'outbox', ['tenant_id', 'lane', 'lane_seq'], unique=False, schema='cell', postgresql_where="lane is not null and state = 'new'")
    op.create_index('ix_outbox_new', 'outbox', ['created_at'], unique=False, schema='cell', postgresql_where="state = 'new'")
    op.create_table('slot',
    sa.Column('schema_name', sa.Text(), nullable=False),
    sa.Column('role_name', sa.Text(), nullable=False),
    sa.Column('gateway', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('tenant_id', sa.UUID(), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('schema_name', name=op.f('pk_slot')),
    sa.UniqueConstraint('role_name', name=op.f('uq_slot_role_name')),
    sa.UniqueConstraint('tenant_id', name=op.f('uq_slot_tenant_id')),
    schema='cell'
    )
    op.create_index(op.f('ix_slot_made_at'), 'slot', ['made_at'], unique=False, schema='cell', postgresql_where="state = 'free'")
    op.create_table('tenant',
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tenant')),
    schema='cell'
    )
    op.create_table('timer',
    sa.Column('tenant_id', sa.UUID(), nullable=False),
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.UUID(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('args', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('trace_id', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('fired_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_timer')),
    schema='cell'
    )
    op.create_index('ix_timer_due', 'timer', ['due_at'], unique=False, schema='cell', postgresql_where="state = 'waiting'")


def downgrade() -> None:
    op.drop_index('ix_timer_due', table_name='timer', schema='cell', postgresql_where="state = 'waiting'")
    op.drop_table('timer', schema='cell')
    op.drop_table('tenant', schema='cell')
    op.drop_index(op.f('ix_slot_made_at'), table_name='slot', schema='cell', postgresql_where="state = 'free'")
    op.drop_table('slot', schema='cell')
    op.drop_index('ix_outbox_lane', table_name='outbox', schema='cell', postgresql_where="lane is not null and state = 'new'")
    op.drop_index('ix_outbox_new', table_name='outbox', schema='cell', postgresql_where="state = 'new'")
    op.drop_table('outbox', schema='cell')
    op.drop_index('uq_job_dedupe', table_name='job', schema='cell')
    op.drop_index('ix_job_ready', table_name='job', schema='cell', postgresql_where="state = 'ready'")
    op.drop_index('ix_job_lease', table_name='job', schema='cell', postgresql_where="state in ('dispatched', 'running')")
    op.drop_index('ix_job_lane', table_name='job', schema='cell', postgresql_where='lane is not null and finished_at is null')
    op.drop_table('job', schema='cell')
    op.drop_table('inbox', schema='cell')
    op.drop_table('clock', schema='cell')
