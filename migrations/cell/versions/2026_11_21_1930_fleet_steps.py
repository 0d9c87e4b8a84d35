"""what the fleet has done to each schema, and what a slot was made of

Expand: the previous code neither reads nor writes either; a slot that it makes has no hash, which means "unknown".
"""

from alembic import op
import sqlalchemy as sa

revision = 'cell_0003'
down_revision = 'cell_0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'fleet_step',
        sa.Column('schema_name', sa.Text(), nullable=False),
        sa.Column('plan_id', sa.UUID(), nullable=False),
        sa.Column('ring', sa.Integer(), nullable=False),
        sa.Column('state', sa.Text(), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('backfilled', sa.Text(), nullable=True),
        sa.Column('error', sa.Text(), nullable=True),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('schema_name', name=op.f('pk_fleet_step')),
        schema='cell',
        if_not_exists=True,
    )
    op.add_column('slot', sa.Column('head_hash', sa.Text(), nullable=True), schema='cell', if_not_exists=True)


def downgrade() -> None:
    op.drop_column('slot', 'head_hash', schema='cell')
    op.drop_table('fleet_step', schema='cell')
