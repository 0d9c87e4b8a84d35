"""the work queues, a projection over all tenants

Expand: a table that the previous code does not know. It fills as onboardings move on.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'control_0013'
down_revision = 'control_0012'
branch_labels = None
depends_on = None

_JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        'work_item',
        sa.Column('tenant_id', sa.UUID(), nullable=False),
        sa.Column('onboarding_id', sa.UUID(), nullable=False),
        sa.Column('key', sa.Text(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('seq', sa.Integer(), nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('kind', sa.Text(), nullable=False),
        sa.Column('queue', sa.Text(), nullable=False),
        sa.Column('side', sa.Text(), nullable=False),
        sa.Column('state', sa.Text(), nullable=False),
        sa.Column('title', _JSON, nullable=False),
        sa.Column('role', sa.Text(), nullable=False),
        sa.Column('role_title', _JSON, nullable=False),
        sa.Column('assignee', sa.UUID(), nullable=True),
        sa.Column('people', _JSON, nullable=False),
        sa.Column('candidates', _JSON, nullable=False),
        sa.Column('unowned', sa.Boolean(), nullable=False),
        sa.Column('since', _AT, nullable=False),
        sa.Column('due_at', _AT, nullable=True),
        sa.Column('reason', sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint('tenant_id', 'onboarding_id', 'key', name=op.f('pk_work_item')),
        schema='control',
        if_not_exists=True,
    )
    op.create_index(
        op.f('ix_work_item_organisation_id_due_at'), 'work_item', ['organisation_id', 'due_at'],
        schema='control', if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table('work_item', schema='control', if_exists=True)
