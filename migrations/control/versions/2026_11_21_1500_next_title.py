"""what comes next in an onboarding, in words

Expand: the column may be empty, and the previous code neither reads nor writes it. A card written by that code shows its
next step again as soon as the onboarding moves on.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'control_0002'
down_revision = 'control_0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'onboarding_card',
        sa.Column('next_title', postgresql.JSONB(none_as_null=True), nullable=True),
        schema='control',
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_column('onboarding_card', 'next_title', schema='control')
