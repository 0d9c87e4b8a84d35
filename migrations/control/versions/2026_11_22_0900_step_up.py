"""what a person proves themselves with, and what a session knows of it

Expand: new tables, and columns of the session that the previous code does not write, null there.
"""

from alembic import op
import sqlalchemy as sa

revision = 'control_0010'
down_revision = 'control_0009'
branch_labels = None
depends_on = None

COLUMNS = {
    'id': sa.UUID(),
    'agent': sa.Text(),
    'stepped_up_at': sa.DateTime(timezone=True),
    'stepped_up_by': sa.Text(),
}


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.add_column('session', sa.Column(name, kind, nullable=True), schema='control', if_not_exists=True)
    op.create_index('uq_session_id', 'session', ['id'], unique=True, schema='control', if_not_exists=True)
    op.create_table(
        'authenticator',
        sa.Column('person_id', sa.UUID(), nullable=False),
        sa.Column('sealed', sa.LargeBinary(), nullable=True),
        sa.Column('waiting', sa.LargeBinary(), nullable=True),
        sa.Column('waiting_since', sa.DateTime(timezone=True), nullable=True),
        sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('last_step', sa.Integer(), nullable=True),
        sa.Column('failures', sa.Integer(), nullable=False),
        sa.Column('locked_until', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['person_id'], ['control.person.id'], name=op.f('fk_authenticator_person_id')),
        sa.PrimaryKeyConstraint('person_id', name=op.f('pk_authenticator')),
        schema='control',
        info={'scope': 'functions'},
        if_not_exists=True,
    )
    op.create_table(
        'recovery_code',
        sa.Column('person_id', sa.UUID(), nullable=False),
        sa.Column('code_hash', sa.LargeBinary(), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['person_id'], ['control.person.id'], name=op.f('fk_recovery_code_person_id')),
        sa.PrimaryKeyConstraint('person_id', 'code_hash', name=op.f('pk_recovery_code')),
        schema='control',
        info={'scope': 'functions'},
        if_not_exists=True,
    )
    op.create_table(
        'mailed_code',
        sa.Column('session_hash', sa.LargeBinary(), nullable=False),
        sa.Column('code_hash', sa.LargeBinary(), nullable=False),
        sa.Column('sent', sa.Integer(), nullable=False),
        sa.Column('since', sa.DateTime(timezone=True), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('session_hash', name=op.f('pk_mailed_code')),
        schema='control',
        info={'scope': 'functions'},
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table('mailed_code', schema='control', if_exists=True)
    op.drop_table('recovery_code', schema='control', if_exists=True)
    op.drop_table('authenticator', schema='control', if_exists=True)
    op.drop_index('uq_session_id', 'session', schema='control', if_exists=True)
    for name in reversed(COLUMNS):
        op.drop_column('session', name, schema='control', if_exists=True)
