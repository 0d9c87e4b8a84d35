"""private addresses of calendars: the hashes of their tokens

Expand: a table that the previous code does not know.
"""

from alembic import op
import sqlalchemy as sa

revision = 'control_0015'
down_revision = 'control_0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'date_feed',
        sa.Column('token_hash', sa.LargeBinary(), nullable=False),
        sa.Column('person_id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('tenant_id', sa.UUID(), nullable=False),
        sa.Column('connection_id', sa.UUID(), nullable=True),
        sa.Column('reach_tenant_id', sa.UUID(), nullable=True),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['person_id'], ['control.person.id'], name=op.f('fk_date_feed_person_id')),
        sa.ForeignKeyConstraint(
            ['organisation_id'], ['control.organisation.id'], name=op.f('fk_date_feed_organisation_id')
        ),
        sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_date_feed')),
        sa.UniqueConstraint(
            'person_id', 'organisation_id', 'tenant_id', name=op.f('uq_date_feed_person_id_organisation_id_tenant_id')
        ),
        schema='control',
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table('date_feed', schema='control', if_exists=True)
