"""answers to requests by software name the tenants they tell of

Expand: a column that the previous code does not write, null there. Such rows live for 72 hours and are searched as before.
"""

from alembic import op
import sqlalchemy as sa

revision = 'control_0006'
down_revision = 'control_0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'command', sa.Column('tenant_ids', sa.ARRAY(sa.Uuid()), nullable=True), schema='control', if_not_exists=True
    )
    op.create_index(
        'ix_command_tenants',
        'command',
        ['tenant_ids'],
        schema='control',
        postgresql_using='gin',
        if_not_exists=True,
    )
    op.create_index(
        'ix_command_unnamed',
        'command',
        ['made_at'],
        schema='control',
        postgresql_where='tenant_ids is null and body is not null',
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_index('ix_command_unnamed', 'command', schema='control', if_exists=True)
    op.drop_index('ix_command_tenants', 'command', schema='control', if_exists=True)
    op.drop_column('command', 'tenant_ids', schema='control', if_exists=True)
