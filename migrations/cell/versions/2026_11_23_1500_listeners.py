"""which endpoints of a tenant hear which events

Expand: the previous code does not read it; until its relay has stopped, what that one relays goes to no endpoint.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'cell_0007'
down_revision = 'cell_0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'listener',
        sa.Column('tenant_id', sa.UUID(), nullable=False),
        sa.Column('endpoint_id', sa.UUID(), nullable=False),
        sa.Column('patterns', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column('ordered', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('tenant_id', 'endpoint_id', name=op.f('pk_listener')),
        schema='cell',
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table('listener', schema='cell')
