"""which homes hear their customers

Expand: whose a tenant is stays unknown of those that are there until a dispatcher of the new build has looked it up.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'cell_0009'
down_revision = 'cell_0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('tenant', sa.Column('organisation_id', sa.UUID(), nullable=True), schema='cell', if_not_exists=True)
    op.add_column('listener', sa.Column('customers', sa.Boolean(), nullable=True), schema='cell', if_not_exists=True)
    op.create_table(
        'partner_listener',
        sa.Column('tenant_id', sa.UUID(), nullable=False),
        sa.Column('endpoint_id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('patterns', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint('tenant_id', 'endpoint_id', name=op.f('pk_partner_listener')),
        schema='cell',
        if_not_exists=True,
    )
    op.create_index(
        op.f('ix_partner_listener_organisation_id'),
        'partner_listener',
        ['organisation_id'],
        schema='cell',
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table('partner_listener', schema='cell')
    op.drop_column('listener', 'customers', schema='cell')
    op.drop_column('tenant', 'organisation_id', schema='cell')
