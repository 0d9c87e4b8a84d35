"""identity providers that sign people in

Expand: tables and nullable columns that the previous code does not know.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'control_0009'
down_revision = 'control_0008'
branch_labels = None
depends_on = None

_JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        'sso_connection',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('tenant_id', sa.UUID(), nullable=False),
        sa.Column('staff', sa.Boolean(), nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('issuer', sa.Text(), nullable=False),
        sa.Column('client_id', sa.Text(), nullable=False),
        sa.Column('has_secret', sa.Boolean(), nullable=False),
        sa.Column('state', sa.Text(), nullable=False),
        sa.Column('required', sa.Boolean(), nullable=False),
        sa.Column('settings', _JSON, nullable=False),
        sa.Column('ceiling', _JSON, nullable=False),
        sa.Column('revision', sa.UUID(), nullable=False),
        sa.Column('changed_at', _TIME, nullable=False),
        sa.Column('tested', _JSON, nullable=True),
        sa.ForeignKeyConstraint(
            ['organisation_id'], ['control.organisation.id'], name=op.f('fk_sso_connection_organisation_id')
        ),
        sa.ForeignKeyConstraint(['tenant_id'], ['control.tenant.id'], name=op.f('fk_sso_connection_tenant_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_sso_connection')),
        schema='control',
        if_not_exists=True,
    )
    for column in ('organisation_id', 'tenant_id'):
        op.create_index(
            op.f(f'ix_sso_connection_{column}'), 'sso_connection', [column], schema='control', if_not_exists=True
        )
    op.create_table(
        'sso_domain',
        sa.Column('connection_id', sa.UUID(), nullable=False),
        sa.Column('domain', sa.Text(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('confirmed_at', _TIME, nullable=True),
        _connection('sso_domain'),
        sa.ForeignKeyConstraint(
            ['organisation_id'], ['control.organisation.id'], name=op.f('fk_sso_domain_organisation_id')
        ),
        sa.PrimaryKeyConstraint('connection_id', 'domain', name=op.f('pk_sso_domain')),
        schema='control',
        if_not_exists=True,
    )
    op.create_index(
        'ix_sso_domain_confirmed', 'sso_domain', ['organisation_id', 'domain'], schema='control', if_not_exists=True,
        postgresql_where='confirmed_at IS NOT NULL',
    )
    op.create_table(
        'sso_attempt',
        sa.Column('state_hash', sa.LargeBinary(), nullable=False),
        sa.Column('connection_id', sa.UUID(), nullable=False),
        sa.Column('browser_hash', sa.LargeBinary(), nullable=False),
        sa.Column('next_path', sa.Text(), nullable=False),
        sa.Column('expires_at', _TIME, nullable=False),
        sa.Column('used_at', _TIME, nullable=True),
        _connection('sso_attempt'),
        sa.PrimaryKeyConstraint('state_hash', name=op.f('pk_sso_attempt')),
        schema='control',
        if_not_exists=True,
    )
    op.create_table(
        'sso_identity',
        sa.Column('connection_id', sa.UUID(), nullable=False),
        sa.Column('subject', sa.Text(), nullable=False),
        sa.Column('person_id', sa.UUID(), nullable=False),
        sa.Column('granted', _JSON, nullable=False),
        sa.Column('made_at', _TIME, nullable=False),
        sa.Column('seen_at', _TIME, nullable=False),
        _connection('sso_identity'),
        sa.ForeignKeyConstraint(['person_id'], ['control.person.id'], name=op.f('fk_sso_identity_person_id')),
        sa.PrimaryKeyConstraint('connection_id', 'subject', name=op.f('pk_sso_identity')),
        schema='control',
        if_not_exists=True,
    )
    op.create_table(
        'sso_logout',
        sa.Column('connection_id', sa.UUID(), nullable=False),
        sa.Column('jti_hash', sa.LargeBinary(), nullable=False),
        sa.Column('expires_at', _TIME, nullable=False),
        _connection('sso_logout'),
        sa.PrimaryKeyConstraint('connection_id', 'jti_hash', name=op.f('pk_sso_logout')),
        schema='control',
        if_not_exists=True,
    )
    for table, column in (('sso_attempt', 'expires_at'), ('sso_identity', 'person_id'), ('sso_logout', 'expires_at')):
        op.create_index(op.f(f'ix_{table}_{column}'), table, [column], schema='control', if_not_exists=True)
    for column in ('connection_id', 'reach_tenant_id'):
        op.add_column('session', sa.Column(column, sa.UUID(), nullable=True), schema='control', if_not_exists=True)
    for column in ('subject', 'sid'):
        op.add_column('session', sa.Column(column, sa.Text(), nullable=True), schema='control', if_not_exists=True)
    for column, table in (('connection_id', 'sso_connection'), ('reach_tenant_id', 'tenant')):
        name = op.f(f'fk_session_{column}')
        op.execute(f'ALTER TABLE control.session DROP CONSTRAINT IF EXISTS {name}')
        op.create_foreign_key(
            name, 'session', table, [column], ['id'], source_schema='control', referent_schema='control'
        )
    op.create_index(
        'ix_session_provider', 'session', ['connection_id', 'subject'], schema='control', if_not_exists=True,
        postgresql_where='connection_id IS NOT NULL',
    )


def downgrade() -> None:
    op.drop_index('ix_session_provider', table_name='session', schema='control', if_exists=True)
    for column in ('sid', 'subject', 'reach_tenant_id', 'connection_id'):
        op.drop_column('session', column, schema='control', if_exists=True)
    for table in ('sso_logout', 'sso_identity', 'sso_attempt', 'sso_domain', 'sso_connection'):
        op.drop_table(table, schema='control', if_exists=True)


def _connection(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ['connection_id'], ['control.sso_connection.id'], name=op.f(f'fk_{table}_connection_id'), ondelete='CASCADE'
    )
