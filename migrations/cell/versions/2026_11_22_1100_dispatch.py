"""whether jobs are handed out in this cell, for every dispatcher

Expand: the previous code does not read it, and no row means that they are.
"""

from alembic import op
import sqlalchemy as sa

revision = 'cell_0005'
down_revision = 'cell_0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'dispatch',
        sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('drained', sa.Boolean(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_dispatch')),
        schema='cell',
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table('dispatch', schema='cell')
