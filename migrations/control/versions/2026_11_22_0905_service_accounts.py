"""service accounts, their credentials and tokens

Expand: tables that the previous code does not know.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'control_0011'
down_revision = 'control_0010'
branch_labels = None
depends_on = None


def _belongs(table: str, *named: str) -> list[sa.ForeignKeyConstraint]:
    targets = {
        'organisation_id': 'organisation',
        'tenant_id': 'tenant',
        'account_id': 'service_account',
        'credential_id': 'service_credential',
    }
    return [
        sa.ForeignKeyConstraint([name], [f'control.{targets[name]}.id'], name=op.f(f'fk_{table}_{name}'))
        for name in named
    ]


def upgrade() -> None:
    op.create_table(
        'service_account',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('tenant_id', sa.UUID(), nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('roles', postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column('scopes', postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column('state', sa.Text(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
        *_belongs('service_account', 'organisation_id', 'tenant_id'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_service_account')),
        schema='control',
        if_not_exists=True,
    )
    op.create_table(
        'service_credential',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('account_id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('kind', sa.Text(), nullable=False),
        sa.Column('digest', sa.LargeBinary(), nullable=True),
        sa.Column('jwk', postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
        *_belongs('service_credential', 'account_id', 'organisation_id'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_service_credential')),
        schema='control',
        if_not_exists=True,
    )
    op.create_table(
        'access_token',
        sa.Column('token_hash', sa.LargeBinary(), nullable=False),
        sa.Column('account_id', sa.UUID(), nullable=False),
        sa.Column('credential_id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('scopes', postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        *_belongs('access_token', 'account_id', 'credential_id', 'organisation_id'),
        sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_access_token')),
        schema='control',
        if_not_exists=True,
    )
    op.create_table(
        'used_jti',
        sa.Column('account_id', sa.UUID(), nullable=False),
        sa.Column('digest', sa.LargeBinary(), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        *_belongs('used_jti', 'account_id'),
        sa.PrimaryKeyConstraint('account_id', 'digest', name=op.f('pk_used_jti')),
        schema='control',
        if_not_exists=True,
    )
    for table, column in (
        ('service_account', 'tenant_id'),
        ('service_credential', 'account_id'),
        ('access_token', 'account_id'),
        ('access_token', 'credential_id'),
        ('access_token', 'expires_at'),
        ('used_jti', 'expires_at'),
    ):
        op.create_index(op.f(f'ix_{table}_{column}'), table, [column], schema='control', if_not_exists=True)


def downgrade() -> None:
    for table in ('used_jti', 'access_token', 'service_credential', 'service_account'):
        op.drop_table(table, schema='control', if_exists=True)
