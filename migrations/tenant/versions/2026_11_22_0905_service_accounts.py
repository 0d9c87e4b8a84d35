"""service accounts are members of another kind

Expand: two columns that the previous code neither reads nor writes; null is a person.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'tenant_0003'
down_revision = 'tenant_0002'
branch_labels = None
depends_on = None
kind = 'expand'


def upgrade() -> None:
    op.add_column('member', sa.Column('kind', sa.Text(), nullable=True))
    op.add_column('member', sa.Column('service', postgresql.JSONB(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column('member', 'service')
    op.drop_column('member', 'kind')
