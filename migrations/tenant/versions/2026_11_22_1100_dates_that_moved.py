"""dates that moved, each with its one cause

Expand: a table that the previous code does not know.
"""

from alembic import op
import sqlalchemy as sa

revision = 'tenant_0006'
down_revision = 'tenant_0005'
branch_labels = None
depends_on = None
kind = 'expand'


def upgrade() -> None:
    op.create_table(
        'date_move',
        sa.Column('onboarding_id', sa.UUID(), nullable=False),
        sa.Column('seq', sa.Integer(), nullable=False),
        sa.Column('item_key', sa.Text(), nullable=False),
        sa.Column('was', sa.DateTime(timezone=True), nullable=True),
        sa.Column('becomes', sa.DateTime(timezone=True), nullable=False),
        sa.Column('cause', sa.Text(), nullable=False),
        sa.Column('cause_item', sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(['onboarding_id', 'seq'], ['journal.onboarding_id', 'journal.seq'],
                                name=op.f('fk_date_move_onboarding_id_seq')),
        sa.PrimaryKeyConstraint('onboarding_id', 'seq', 'item_key', name=op.f('pk_date_move')),
        info={'append_only': True},
    )


def downgrade() -> None:
    op.drop_table('date_move')
