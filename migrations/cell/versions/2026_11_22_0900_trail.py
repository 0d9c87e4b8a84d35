"""where each tenant's trail is in its tree, and which transactions have left entries that no leaf stands for

Expand: the previous code leaves no marks; each tenant gets one, so that what is in its trail finds its place.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'cell_0004'
down_revision = 'cell_0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'trail_mark',
        sa.Column('tenant_id', sa.UUID(), nullable=False),
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('entries', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_trail_mark')),
        schema='cell',
        if_not_exists=True,
    )
    op.create_table(
        'trail_head',
        sa.Column('tenant_id', sa.UUID(), nullable=False),
        sa.Column('size', sa.BigInteger(), nullable=False),
        sa.Column('root', sa.Text(), nullable=False),
        sa.Column('note', sa.Text(), nullable=True),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('tenant_id', name=op.f('pk_trail_head')),
        schema='cell',
        if_not_exists=True,
    )
    op.execute(
        "INSERT INTO cell.trail_mark (tenant_id, id, entries, made_at)"
        " SELECT t.id, t.id, '[]', now() FROM cell.tenant t WHERE t.state NOT IN ('shredded', 'dropped')"
        " ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    op.drop_table('trail_head', schema='cell')
    op.drop_table('trail_mark', schema='cell')
