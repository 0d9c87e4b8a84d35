"""roles of a home's staff in its member rows

Expand: a column that the previous code does not write, null there.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'tenant_0002'
down_revision = 'tenant_0001'
branch_labels = None
depends_on = None
kind = 'expand'


def upgrade() -> None:
    op.add_column('member', sa.Column('roles', postgresql.JSONB(none_as_null=True), nullable=True), if_not_exists=True)


def downgrade() -> None:
    op.drop_column('member', 'roles', if_exists=True)
