"""who watches a line of the work queues

Expand: a column that the previous code does not know.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'control_0014'
down_revision = 'control_0013'
branch_labels = None
depends_on = None

_JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())


def upgrade() -> None:
    op.add_column(
        'work_item', sa.Column('watchers', _JSON, nullable=True),
        schema='control', if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_column('work_item', 'watchers', schema='control', if_exists=True)
