"""bundles of tenants that were asked for by API

Expand: a table that the previous code does not know.
"""

from alembic import op
import sqlalchemy as sa

revision = 'control_0007'
down_revision = 'control_0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'transfer',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('direction', sa.Text(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('tenant_id', sa.UUID(), nullable=True),
        sa.Column('request_key', sa.Text(), nullable=False),
        sa.Column('state', sa.Text(), nullable=False),
        sa.Column('peer', sa.Text(), nullable=False),
        sa.Column('secrets', sa.Boolean(), nullable=False),
        sa.Column('stays', sa.Boolean(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('trace_id', sa.Text(), nullable=False),
        sa.Column('requested_by', sa.UUID(), nullable=False),
        sa.Column('requested_name', sa.Text(), nullable=False),
        sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('rows', sa.BigInteger(), nullable=False),
        sa.Column('parts', sa.BigInteger(), nullable=False),
        sa.Column('bytes', sa.BigInteger(), nullable=False),
        sa.Column('sha256', sa.Text(), nullable=True),
        sa.Column('signed_by', sa.Text(), nullable=True),
        sa.Column('trouble', sa.Text(), nullable=True),
        sa.Column('said', sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ['organisation_id'], ['control.organisation.id'], name=op.f('fk_transfer_organisation_id')
        ),
        sa.ForeignKeyConstraint(['tenant_id'], ['control.tenant.id'], name=op.f('fk_transfer_tenant_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_transfer')),
        schema='control',
        if_not_exists=True,
    )
    op.create_index(
        'uq_transfer_request', 'transfer', ['organisation_id', 'request_key'], unique=True, schema='control',
        if_not_exists=True,
    )
    op.create_index(
        'uq_transfer_open', 'transfer', ['tenant_id'], unique=True, schema='control', if_not_exists=True,
        postgresql_where="direction = 'out' and state in ('queued', 'running')",
    )
    op.create_index(
        'ix_transfer_open', 'transfer', ['requested_at'], schema='control', if_not_exists=True,
        postgresql_where="state in ('queued', 'running')",
    )


def downgrade() -> None:
    op.drop_table('transfer', schema='control', if_exists=True)
