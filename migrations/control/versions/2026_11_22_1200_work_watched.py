"""who watches a line of the work queues, and the indexes of its pages

Expand: a column that the previous code does not know; the index that goes is the beginning of one that comes.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'control_0014'
down_revision = 'control_0013'
branch_labels = None
depends_on = None

_JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())


def upgrade() -> None:
    op.add_column(
        'work_item', sa.Column('watchers', _JSON, nullable=True),
        schema='control', if_not_exists=True,
    )
    due = sa.text("(COALESCE(due_at, '9999-01-01 00:00:00+00'::timestamp with time zone))")
    _index('ix_work_item_page', ['organisation_id', due, 'onboarding_id', 'key'])
    _index('ix_work_item_taken', ['organisation_id', 'assignee'], 'assignee IS NOT NULL')
    _index('ix_work_item_nobodys', ['organisation_id'], 'unowned')
    op.create_index(
        'ix_work_item_counts', 'work_item', ['organisation_id', 'queue'],
        schema='control', if_not_exists=True, postgresql_include=['due_at', 'since'],
    )
    op.drop_index('ix_work_item_organisation_id_due_at', 'work_item', schema='control', if_exists=True)


def _index(name, columns, where=None):
    op.create_index(name, 'work_item', columns, schema='control', if_not_exists=True, postgresql_where=where)


def downgrade() -> None:
    _index('ix_work_item_organisation_id_due_at', ['organisation_id', 'due_at'])
    for name in ('ix_work_item_page', 'ix_work_item_counts', 'ix_work_item_taken', 'ix_work_item_nobodys'):
        op.drop_index(name, 'work_item', schema='control', if_exists=True)
    op.drop_column('work_item', 'watchers', schema='control', if_exists=True)
