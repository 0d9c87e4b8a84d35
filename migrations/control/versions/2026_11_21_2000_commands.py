"""requests by software, each carried out once

Expand: a table that the previous code does not know.
"""

from alembic import op
import sqlalchemy as sa

revision = 'control_0005'
down_revision = 'control_0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'command',
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('actor_id', sa.UUID(), nullable=False),
        sa.Column('key', sa.Text(), nullable=False),
        sa.Column('fingerprint', sa.Text(), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('status', sa.Integer(), nullable=True),
        sa.Column('location', sa.Text(), nullable=True),
        sa.Column('etag', sa.Text(), nullable=True),
        sa.Column('body', sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ['organisation_id'], ['control.organisation.id'], name=op.f('fk_command_organisation_id')
        ),
        sa.PrimaryKeyConstraint('organisation_id', 'actor_id', 'key', name=op.f('pk_command')),
        schema='control',
        if_not_exists=True,
    )
    op.create_index(op.f('ix_command_made_at'), 'command', ['made_at'], schema='control', if_not_exists=True)


def downgrade() -> None:
    op.drop_table('command', schema='control', if_exists=True)
