"""plans, limits, where a cell is and whom it takes, changes of a tenant's state, erasures

Expand: every new column may be empty, and the previous code neither reads nor writes any of them. A tenant without a
plan has no limits and the weight of one share.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'control_0003'
down_revision = 'control_0002'
branch_labels = None
depends_on = None

JSON = postgresql.JSONB(none_as_null=True)


def _tenant() -> tuple[sa.Column, ...]:
    return (
        sa.Column('plan_key', sa.Text(), nullable=True),
        sa.Column('region', sa.Text(), nullable=True),
        sa.Column('external_id', sa.Text(), nullable=True),
        sa.Column('service_package', sa.Text(), nullable=True),
        sa.Column('limits', JSON, nullable=True),
        sa.Column('change', JSON, nullable=True),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('behind', sa.Boolean(), nullable=True),
    )


def _cell() -> tuple[sa.Column, ...]:
    return (
        sa.Column('region', sa.Text(), nullable=True),
        sa.Column('plans', JSON, nullable=True),
        sa.Column('capacity', sa.Integer(), nullable=True),
    )


def upgrade() -> None:
    op.create_table(
        'plan',
        sa.Column('key', sa.Text(), nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('weight', sa.Integer(), nullable=False),
        sa.Column('limits', JSON, nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('key', name=op.f('pk_plan')),
        schema='control',
    )
    for column in _cell():
        op.add_column('cell', column, schema='control')
    op.add_column('organisation', sa.Column('limits', JSON, nullable=True), schema='control')
    for column in _tenant():
        op.add_column('tenant', column, schema='control')
    op.create_foreign_key(
        op.f('fk_tenant_plan_key'), 'tenant', 'plan', ['plan_key'], ['key'],
        source_schema='control', referent_schema='control',
    )
    op.create_index(
        'uq_tenant_external', 'tenant', ['organisation_id', 'external_id'], unique=True, schema='control'
    )
    op.create_index('ix_tenant_behind', 'tenant', ['changed_at'], schema='control', postgresql_where='behind')
    op.create_index('ix_tenant_listed', 'tenant', ['organisation_id', 'requested_at', 'id'], schema='control')
    op.create_table(
        'erasure',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('tenant_id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('state', sa.Text(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('trace_id', sa.Text(), nullable=False),
        sa.Column('requested_by', sa.UUID(), nullable=False),
        sa.Column('requested_name', sa.Text(), nullable=False),
        sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('decided_by', sa.UUID(), nullable=True),
        sa.Column('decided_name', sa.Text(), nullable=True),
        sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('shredded_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('effective_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('dropped_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['tenant_id'], ['control.tenant.id'], name=op.f('fk_erasure_tenant_id')),
        sa.ForeignKeyConstraint(
            ['organisation_id'], ['control.organisation.id'], name=op.f('fk_erasure_organisation_id')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_erasure')),
        schema='control',
    )
    op.create_index(op.f('ix_erasure_tenant_id'), 'erasure', ['tenant_id'], schema='control')
    op.create_index(
        'uq_erasure_open', 'erasure', ['tenant_id'], unique=True, schema='control',
        postgresql_where="state in ('requested', 'approved')",
    )


def downgrade() -> None:
    op.drop_table('erasure', schema='control')
    op.drop_index('ix_tenant_listed', table_name='tenant', schema='control')
    op.drop_index('ix_tenant_behind', table_name='tenant', schema='control')
    op.drop_index('uq_tenant_external', table_name='tenant', schema='control')
    for column in reversed(_tenant()):
        op.drop_column('tenant', column.name, schema='control')
    op.drop_column('organisation', 'limits', schema='control')
    for column in reversed(_cell()):
        op.drop_column('cell', column.name, schema='control')
    op.drop_table('plan', schema='control')
