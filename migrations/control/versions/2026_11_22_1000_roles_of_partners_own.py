"""roles of partners' own, and the index of delegations

Expand: tables that the previous code does not know.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'control_0012'
down_revision = 'control_0011'
branch_labels = None
depends_on = None

_JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        'custom_role',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('base', sa.Text(), nullable=False),
        sa.Column('removed', _JSON, nullable=False),
        sa.Column('made_at', _AT, nullable=False),
        sa.Column('changed_at', _AT, nullable=False),
        sa.Column('ended_at', _AT, nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_custom_role')),
        schema='control',
        if_not_exists=True,
    )
    op.create_index(
        op.f('ix_custom_role_organisation_id'), 'custom_role', ['organisation_id'], schema='control', if_not_exists=True,
    )
    op.create_table(
        'delegation_index',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('tenant_id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('kind', sa.Text(), nullable=False),
        sa.Column('state', sa.Text(), nullable=False),
        sa.Column('roles', _JSON, nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('starts_at', _AT, nullable=False),
        sa.Column('ends_at', _AT, nullable=False),
        sa.Column('requested_at', _AT, nullable=True),
        sa.Column('renewal_of', sa.UUID(), nullable=True),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_delegation_index')),
        schema='control',
        if_not_exists=True,
    )
    op.create_index(
        op.f('ix_delegation_index_organisation_id_state'), 'delegation_index', ['organisation_id', 'state'],
        schema='control', if_not_exists=True,
    )
    op.create_index(
        op.f('ix_delegation_index_tenant_id'), 'delegation_index', ['tenant_id'], schema='control', if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table('delegation_index', schema='control', if_exists=True)
    op.drop_table('custom_role', schema='control', if_exists=True)
