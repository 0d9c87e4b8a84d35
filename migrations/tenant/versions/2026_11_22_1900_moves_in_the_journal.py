"""moved dates with the journal entry that moved them

Expand: a column that the previous code leaves empty.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'tenant_0009'
down_revision = 'tenant_0008'
branch_labels = None
depends_on = None
kind = 'expand'


def upgrade() -> None:
    op.add_column('journal', sa.Column('moves', postgresql.JSONB(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column('journal', 'moves')
