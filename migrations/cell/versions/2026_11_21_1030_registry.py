"""whose cell this is, and what a tenant may have

Expand: a new table that the previous code does not know, and columns that may be empty.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'cell_0002'
down_revision = 'cell_0001'
branch_labels = None
depends_on = None


def _tenant() -> tuple[sa.Column, ...]:
    return (
        sa.Column('kind', sa.Text(), nullable=True),
        sa.Column('weight', sa.Integer(), nullable=True),
        sa.Column('limits', postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column('change_id', sa.UUID(), nullable=True),
    )


def upgrade() -> None:
    op.create_table(
        'mark',
        sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('installation_id', sa.UUID(), nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_mark')),
        schema='cell',
    )
    for column in _tenant():
        op.add_column('tenant', column, schema='cell')


def downgrade() -> None:
    for column in reversed(_tenant()):
        op.drop_column('tenant', column.name, schema='cell')
    op.drop_table('mark', schema='cell')
