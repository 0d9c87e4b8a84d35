"""delegations are asked for, agreed to, mapped and used

Expand: columns that the previous code does not know, and leaves empty.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'tenant_0005'
down_revision = 'tenant_0004'
branch_labels = None
depends_on = None
kind = 'expand'

_JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
_AT = sa.DateTime(timezone=True)
_COLUMNS = {
    'kind': sa.Text(),
    'version': sa.Integer(),
    'requested_by': sa.UUID(),
    'requested_name': sa.Text(),
    'requested_at': _AT,
    'requested': _JSON,
    'decided_by': sa.UUID(),
    'decided_name': sa.Text(),
    'decided_at': _AT,
    'ended_by': sa.Text(),
    'ended_name': sa.Text(),
    'ended_at': _AT,
    'end_reason': sa.Text(),
    'renewal_of': sa.UUID(),
    'grants': _JSON,
    'noticed': sa.Integer(),
    'last_used_at': _AT,
    'last_used_by': sa.UUID(),
    'last_used_name': sa.Text(),
}


def upgrade() -> None:
    for name, type_ in _COLUMNS.items():
        op.add_column('delegation', sa.Column(name, type_, nullable=True), if_not_exists=True)


def downgrade() -> None:
    for name in reversed(_COLUMNS):
        op.drop_column('delegation', name, if_exists=True)
