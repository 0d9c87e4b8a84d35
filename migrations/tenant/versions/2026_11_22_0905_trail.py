"""leaves of the trail's tree, the commitments of what is personal in an entry, and typed documents

Must run beside the previous code: expand, backfill, contract are three releases (migrations/README.md).
Raise nothing on a second run; take locks under a lock timeout; no backfill here.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'tenant_0004'
down_revision = 'tenant_0003'
branch_labels = None
depends_on = None
kind = 'expand'


def upgrade() -> None:
    op.create_table(
        'leaf',
        sa.Column('place', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('entry_id', sa.UUID(), nullable=False),
        sa.Column('leaf_hash', sa.LargeBinary(), nullable=False),
        sa.Column('nodes', sa.LargeBinary(), nullable=False),
        sa.Column('note', sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint('place', name=op.f('pk_leaf')),
        sa.UniqueConstraint('entry_id', name=op.f('uq_leaf_entry_id')),
        info={'append_only': True},
    )
    op.create_table(
        'record',
        sa.Column('kind', sa.Text(), nullable=False),
        sa.Column('key', sa.Text(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('body', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('kind', 'key', name=op.f('pk_record')),
    )
    op.create_index(op.f('ix_trail_actor_id_at'), 'trail', ['actor_id', 'at'], unique=False)
    op.add_column('trail', sa.Column('personal', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True))


def downgrade() -> None:
    op.drop_column('trail', 'personal')
    op.drop_index(op.f('ix_trail_actor_id_at'), table_name='trail')
    op.drop_table('record')
    op.drop_table('leaf')
