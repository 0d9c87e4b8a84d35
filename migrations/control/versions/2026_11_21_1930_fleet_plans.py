"""plans of fleet upgrades

Expand: a table that the previous code does not know.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'control_0004'
down_revision = 'control_0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'fleet_plan',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('target', sa.Text(), nullable=False),
        sa.Column('revisions', postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column('rings', postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column('soak_seconds', sa.Integer(), nullable=False),
        sa.Column('state', sa.Text(), nullable=False),
        sa.Column('ring', sa.Integer(), nullable=False),
        sa.Column('forgiven', sa.Integer(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=True),
        sa.Column('soak_until', sa.DateTime(timezone=True), nullable=True),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_fleet_plan')),
        schema='control',
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table('fleet_plan', schema='control')
