"""directories that provision people, their users, groups and last requests

Expand: tables that the previous code does not know.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'control_0008'
down_revision = 'control_0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('directory',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('tenant_id', sa.UUID(), nullable=True),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('state', sa.Text(), nullable=False),
        sa.Column('token_hash', sa.LargeBinary(), nullable=False),
        sa.Column('token_made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('old_token_hash', sa.LargeBinary(), nullable=True),
        sa.Column('old_token_until', sa.DateTime(timezone=True), nullable=True),
        sa.Column('default_role', sa.Text(), nullable=True),
        sa.Column('made_by', sa.UUID(), nullable=False),
        sa.Column('made_by_name', sa.Text(), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['organisation_id'], ['control.organisation.id'], name=op.f('fk_directory_organisation_id')),
        sa.ForeignKeyConstraint(['tenant_id'], ['control.tenant.id'], name=op.f('fk_directory_tenant_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_directory')),
        schema='control',
        if_not_exists=True,
    )
    op.create_index(op.f('ix_directory_organisation_id'), 'directory', ['organisation_id'], unique=False, schema='control', if_not_exists=True)
    op.create_index(op.f('ix_directory_tenant_id'), 'directory', ['tenant_id'], unique=False, schema='control', if_not_exists=True)
    op.create_index('uq_directory_old_token', 'directory', ['old_token_hash'], unique=True, schema='control', if_not_exists=True)
    op.create_index('uq_directory_token', 'directory', ['token_hash'], unique=True, schema='control', if_not_exists=True)
    op.create_table('directory_user',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('directory_id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('person_id', sa.UUID(), nullable=True),
        sa.Column('user_name', sa.Text(), nullable=False),
        sa.Column('user_key', sa.Text(), nullable=True),
        sa.Column('external_id', sa.Text(), nullable=True),
        sa.Column('active', sa.Boolean(), nullable=False),
        sa.Column('document', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column('given', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column('former', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column('made_person', sa.Boolean(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('behind', sa.Boolean(), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['directory_id'], ['control.directory.id'], name=op.f('fk_directory_user_directory_id')),
        sa.ForeignKeyConstraint(['organisation_id'], ['control.organisation.id'], name=op.f('fk_directory_user_organisation_id')),
        sa.ForeignKeyConstraint(['person_id'], ['control.person.id'], name=op.f('fk_directory_user_person_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_directory_user')),
        schema='control',
        if_not_exists=True,
    )
    op.create_index('ix_directory_user_behind', 'directory_user', ['directory_id'], unique=False, schema='control', if_not_exists=True, postgresql_where='behind')
    op.create_index('ix_directory_user_external', 'directory_user', ['directory_id', 'external_id'], unique=False, schema='control', if_not_exists=True)
    op.create_index('ix_directory_user_listed', 'directory_user', ['directory_id', 'id'], unique=False, schema='control', if_not_exists=True)
    op.create_index(op.f('ix_directory_user_person_id'), 'directory_user', ['person_id'], unique=False, schema='control', if_not_exists=True)
    op.create_index('uq_directory_user_name', 'directory_user', ['directory_id', 'user_key'], unique=True, schema='control', if_not_exists=True)
    op.create_index('uq_directory_user_person', 'directory_user', ['directory_id', 'person_id'], unique=True, schema='control', if_not_exists=True)
    op.create_table('staff_group',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('tenant_id', sa.UUID(), nullable=True),
        sa.Column('directory_id', sa.UUID(), nullable=True),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('name_key', sa.Text(), nullable=False),
        sa.Column('external_id', sa.Text(), nullable=True),
        sa.Column('role', sa.Text(), nullable=True),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['directory_id'], ['control.directory.id'], name=op.f('fk_staff_group_directory_id')),
        sa.ForeignKeyConstraint(['organisation_id'], ['control.organisation.id'], name=op.f('fk_staff_group_organisation_id')),
        sa.ForeignKeyConstraint(['tenant_id'], ['control.tenant.id'], name=op.f('fk_staff_group_tenant_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_group')),
        schema='control',
        if_not_exists=True,
    )
    op.create_index('ix_staff_group_external', 'staff_group', ['directory_id', 'external_id'], unique=False, schema='control', if_not_exists=True)
    op.create_index('ix_staff_group_listed', 'staff_group', ['directory_id', 'id'], unique=False, schema='control', if_not_exists=True)
    op.create_index('ix_staff_group_named', 'staff_group', ['directory_id', 'name_key'], unique=False, schema='control', if_not_exists=True)
    op.create_index(op.f('ix_staff_group_organisation_id'), 'staff_group', ['organisation_id'], unique=False, schema='control', if_not_exists=True)
    op.create_index(op.f('ix_staff_group_tenant_id'), 'staff_group', ['tenant_id'], unique=False, schema='control', if_not_exists=True)
    op.create_table('staff_group_member',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('group_id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('person_id', sa.UUID(), nullable=True),
        sa.Column('user_id', sa.UUID(), nullable=True),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['group_id'], ['control.staff_group.id'], name=op.f('fk_staff_group_member_group_id')),
        sa.ForeignKeyConstraint(['organisation_id'], ['control.organisation.id'], name=op.f('fk_staff_group_member_organisation_id')),
        sa.ForeignKeyConstraint(['person_id'], ['control.person.id'], name=op.f('fk_staff_group_member_person_id')),
        sa.ForeignKeyConstraint(['user_id'], ['control.directory_user.id'], name=op.f('fk_staff_group_member_user_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_group_member')),
        schema='control',
        if_not_exists=True,
    )
    op.create_index(op.f('ix_staff_group_member_person_id'), 'staff_group_member', ['person_id'], unique=False, schema='control', if_not_exists=True)
    op.create_index(op.f('ix_staff_group_member_user_id'), 'staff_group_member', ['user_id'], unique=False, schema='control', if_not_exists=True)
    op.create_index('uq_staff_group_member_person', 'staff_group_member', ['group_id', 'person_id'], unique=True, schema='control', if_not_exists=True)
    op.create_index('uq_staff_group_member_user', 'staff_group_member', ['group_id', 'user_id'], unique=True, schema='control', if_not_exists=True)
    op.create_table('directory_request',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('directory_id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('method', sa.Text(), nullable=False),
        sa.Column('place', sa.Text(), nullable=False),
        sa.Column('status', sa.Integer(), nullable=False),
        sa.Column('scim_type', sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(['directory_id'], ['control.directory.id'], name=op.f('fk_directory_request_directory_id')),
        sa.ForeignKeyConstraint(['organisation_id'], ['control.organisation.id'], name=op.f('fk_directory_request_organisation_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_directory_request')),
        schema='control',
        if_not_exists=True,
    )
    op.create_index(op.f('ix_directory_request_directory_id_id'), 'directory_request', ['directory_id', 'id'], unique=False, schema='control', if_not_exists=True)


def downgrade() -> None:
    for name in ('directory_request', 'staff_group_member', 'staff_group', 'directory_user', 'directory'):
        op.drop_table(name, schema='control', if_exists=True)
