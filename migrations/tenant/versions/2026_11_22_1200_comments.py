"""comments on running work, and who watches an onboarding

Expand: a table and a column that the previous code does not know.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'tenant_0007'
down_revision = 'tenant_0006'
branch_labels = None
depends_on = None
kind = 'expand'

_JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        'comment',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('onboarding_id', sa.UUID(), nullable=False),
        sa.Column('about', sa.Text(), nullable=True),
        sa.Column('internal', sa.Boolean(), nullable=False),
        sa.Column('author_id', sa.UUID(), nullable=False),
        sa.Column('author_name', sa.Text(), nullable=False),
        sa.Column('side', sa.Text(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('earlier', _JSON, nullable=False),
        sa.Column('mentions', _JSON, nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('written_at', _AT, nullable=False),
        sa.Column('edited_at', _AT, nullable=True),
        sa.Column('withdrawn_at', _AT, nullable=True),
        sa.ForeignKeyConstraint(['onboarding_id'], ['onboarding.id'], name=op.f('fk_comment_onboarding_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_comment')),
    )
    op.create_index(op.f('ix_comment_onboarding_id_id'), 'comment', ['onboarding_id', 'id'])
    op.add_column('onboarding', sa.Column('watching', _JSON, nullable=True))


def downgrade() -> None:
    op.drop_column('onboarding', 'watching')
    op.drop_table('comment')
