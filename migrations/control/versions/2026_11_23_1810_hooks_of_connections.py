"""which connection a webhook address belongs to, so that every connection can have one of its own

Expand: the previous code makes addresses of a home, without a connection, and goes on finding those.
"""

from alembic import op
import sqlalchemy as sa

revision = 'control_0020'
down_revision = 'control_0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('hook', sa.Column('connection_id', sa.Uuid(), nullable=True), schema='control', if_not_exists=True)


def downgrade() -> None:
    op.execute("DELETE FROM control.hook WHERE connection_id IS NOT NULL")
    op.drop_column('hook', 'connection_id', schema='control', if_exists=True)
