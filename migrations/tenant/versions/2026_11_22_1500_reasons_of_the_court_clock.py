"""why whoever had the ball was waited for

Expand: a column that the previous code leaves empty.
"""

from alembic import op
import sqlalchemy as sa

revision = 'tenant_0008'
down_revision = 'tenant_0007'
branch_labels = None
depends_on = None
kind = 'expand'


def upgrade() -> None:
    op.add_column('clock', sa.Column('reason_code', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('clock', 'reason_code')
