"""first tables

Must run beside the previous code: expand, backfill, contract are three releases (migrations/README.md).
Raise nothing on a second run; take locks under a lock timeout; no backfill here.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'control_0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('cell',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('gateways', sa.Integer(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_cell')),
    schema='control',
    info={'scope': 'true', 'rights': 'SELECT'}
    )
    op.create_table('installation',
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('prefix', sa.Text(), nullable=False),
    sa.Column('secret', sa.LargeBinary(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_installation')),
    schema='control',
    info={'scope': 'functions'}
    )
    op.create_table('onboarding_card',
    sa.Column('tenant_id', sa.UUID(), nullable=False),
    sa.Column('onboarding_id', sa.UUID(), nullable=False),
    sa.Column('organisation_id', sa.UUID(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('template', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('stage', sa.Text(), nullable=True),
    sa.Column('next_step', sa.Text(), nullable=True),
    sa.Column('holder', sa.Text(), nullable=True),
    sa.Column('needs', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('tasks_done', sa.Integer(), nullable=False),
    sa.Column('tasks_total', sa.Integer(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('first_value_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'onboarding_id', name=op.f('pk_onboarding_card')),
    schema='control'
    )
    op.create_index(op.f('ix_onboarding_card_organisation_id_state_changed_at'), 'onboarding_card', ['organisation_id', 'state', 'changed_at'], unique=False, schema='control')
    op.create_table('organisation',
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('parent_id', sa.UUID(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('slug', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['parent_id'], ['control.organisation.id'], name=op.f('fk_organisation_parent_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_organisation')),
    sa.UniqueConstraint('slug', name=op.f('uq_organisation_slug')),
    schema='control',
    info={'scope': 'id IN ({below})'}
    )
    op.create_table('person',
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('locale', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person')),
    sa.UniqueConstraint('email', name=op.f('uq_person_email')),
    schema='control',
    info={'scope': 'EXISTS (SELECT FROM control.assignment a WHERE a.person_id = person.id) OR EXISTS (SELECT FROM control.membership m WHERE m.person_id = person.id)', 'rights': 'SELECT'}
    )
    op.create_table('assignment',
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('person_id', sa.UUID(), nullable=False),
    sa.Column('organisation_id', sa.UUID(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['control.organisation.id'], name=op.f('fk_assignment_organisation_id')),
    sa.ForeignKeyConstraint(['person_id'], ['control.person.id'], name=op.f('fk_assignment_person_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assignment')),
    sa.UniqueConstraint('person_id', 'organisation_id', 'role', name=op.f('uq_assignment_person_id_organisation_id_role')),
    schema='control',
    info={'rights': 'SELECT, INSERT, UPDATE, DELETE'}
    )
    op.create_index(op.f('ix_assignment_organisation_id'), 'assignment', ['organisation_id'], unique=False, schema='control')
    op.create_table('brand',
    sa.Column('organisation_id', sa.UUID(), nullable=False),
    sa.Column('version', sa.Text(), nullable=False),
    sa.Column('tokens', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['control.organisation.id'], name=op.f('fk_brand_organisation_id')),
    sa.PrimaryKeyConstraint('organisation_id', name=op.f('pk_brand')),
    schema='control'
    )
    op.create_index(op.f('ix_brand_version'), 'brand', ['version'], unique=False, schema='control')
    op.create_table('host',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('organisation_id', sa.UUID(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['control.organisation.id'], name=op.f('fk_host_organisation_id')),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_host')),
    schema='control'
    )
    op.create_table('org_edge',
    sa.Column('ancestor_id', sa.UUID(), nullable=False),
    sa.Column('descendant_id', sa.UUID(), nullable=False),
    sa.Column('depth', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['ancestor_id'], ['control.organisation.id'], name=op.f('fk_org_edge_ancestor_id')),
    sa.ForeignKeyConstraint(['descendant_id'], ['control.organisation.id'], name=op.f('fk_org_edge_descendant_id')),
    sa.PrimaryKeyConstraint('ancestor_id', 'descendant_id', name=op.f('pk_org_edge')),
    schema='control',
    info={'scope': 'ancestor_id IN ({below})', 'rights': 'SELECT'}
    )
    op.create_index(op.f('ix_org_edge_descendant_id'), 'org_edge', ['descendant_id'], unique=False, schema='control')
    op.create_table('session',
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('person_id', sa.UUID(), nullable=False),
    sa.Column('organisation_id', sa.UUID(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organisation_id'], ['control.organisation.id'], name=op.f('fk_session_organisation_id')),
    sa.ForeignKeyConstraint(['person_id'], ['control.person.id'], name=op.f('fk_session_person_id')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_session')),
    schema='control',
    info={'scope': 'functions'}
    )
    op.create_index(op.f('ix_session_person_id'), 'session', ['person_id'], unique=False, schema='control')
    op.create_table('sign_in_link',
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('person_id', sa.UUID(), nullable=False),
    sa.Column('organisation_id', sa.UUID(), nullable=False),
    sa.Column('next_path', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('consumed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['organisation_id'], ['control.organisation.id'], name=op.f('fk_sign_in_link_organisation_id')),
    sa.ForeignKeyConstraint(['person_id'], ['control.person.id'], name=op.f('fk_sign_in_link_person_id')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_sign_in_link')),
    schema='control',
    info={'scope': 'functions'}
    )
    op.create_index(op.f('ix_sign_in_link_organisation_id_made_at'), 'sign_in_link', ['organisation_id', 'made_at'], unique=False, schema='control')
    op.create_index(op.f('ix_sign_in_link_person_id_made_at'), 'sign_in_link', ['person_id', 'made_at'], unique=False, schema='control')
    op.create_table('template_version',
    sa.Column('organisation_id', sa.UUID(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('template_id', sa.Text(), nullable=False),
    sa.Column('version', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('document', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['control.organisation.id'], name=op.f('fk_template_version_organisation_id')),
    sa.PrimaryKeyConstraint('organisation_id', 'digest', name=op.f('pk_template_version')),
    schema='control'
    )
    op.create_table('tenant',
    sa.Column('id', sa.UUID(), nullable=False),
    sa.Column('organisation_id', sa.UUID(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('request_key', sa.Text(), nullable=False),
    sa.Column('cause', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('cell_name', sa.Text(), nullable=True),
    sa.Column('schema_name', sa.Text(), nullable=True),
    sa.Column('role_name', sa.Text(), nullable=True),
    sa.Column('gateway', sa.Integer(), nullable=True),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('active_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['cell_name'], ['control.cell.name'], name=op.f('fk_tenant_cell_name')),
    sa.ForeignKeyConstraint(['organisation_id'], ['control.organisation.id'], name=op.f('fk_tenant_organisation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tenant')),
    sa.UniqueConstraint('organisation_id', 'request_key', name=op.f('uq_tenant_organisation_id_request_key')),
    schema='control'
    )
    op.create_index(op.f('ix_tenant_organisation_id_kind'), 'tenant', ['organisation_id', 'kind'], unique=False, schema='control')
    op.create_table('hook',
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('organisation_id', sa.UUID(), nullable=False),
    sa.Column('tenant_id', sa.UUID(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['control.organisation.id'], name=op.f('fk_hook_organisation_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['control.tenant.id'], name=op.f('fk_hook_tenant_id')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_hook')),
    schema='control'
    )
    op.create_table('membership',
    sa.Column('person_id', sa.UUID(), nullable=False),
    sa.Column('tenant_id', sa.UUID(), nullable=False),
    sa.Column('organisation_id', sa.UUID(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['control.organisation.id'], name=op.f('fk_membership_organisation_id')),
    sa.ForeignKeyConstraint(['person_id'], ['control.person.id'], name=op.f('fk_membership_person_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['control.tenant.id'], name=op.f('fk_membership_tenant_id')),
    sa.PrimaryKeyConstraint('person_id', 'tenant_id', name=op.f('pk_membership')),
    schema='control',
    info={'rights': 'SELECT, INSERT, UPDATE, DELETE'}
    )
    op.create_index(op.f('ix_membership_tenant_id'), 'membership', ['tenant_id'], unique=False, schema='control')


def downgrade() -> None:
    op.drop_index(op.f('ix_membership_tenant_id'), table_name='membership', schema='control')
    op.drop_table('membership', schema='control')
    op.drop_table('hook', schema='control')
    op.drop_index(op.f('ix_tenant_organisation_id_kind'), table_name='tenant', schema='control')
    op.drop_table('tenant', schema='control')
    op.drop_table('template_version', schema='control')
    op.drop_index(op.f('ix_sign_in_link_person_id_made_at'), table_name='sign_in_link', schema='control')
    op.drop_index(op.f('ix_sign_in_link_organisation_id_made_at'), table_name='sign_in_link', schema='control')
    op.drop_table('sign_in_link', schema='control')
    op.drop_index(op.f('ix_session_person_id'), table_name='session', schema='control')
    op.drop_table('session', schema='control')
    op.drop_index(op.f('ix_org_edge_descendant_id'), table_name='org_edge', schema='control')
    op.drop_table('org_edge', schema='control')
    op.drop_table('host', schema='control')
    op.drop_index(op.f('ix_brand_version'), table_name='brand', schema='control')
    op.drop_table('brand', schema='control')
    op.drop_index(op.f('ix_assignment_organisation_id'), table_name='assignment', schema='control')
    op.drop_table('assignment', schema='control')
    op.drop_table('person', schema='control')
    op.drop_table('organisation', schema='control')
    op.drop_index(op.f('ix_onboarding_card_organisation_id_state_changed_at'), table_name='onboarding_card', schema='control')
    op.drop_table('onboarding_card', schema='control')
    op.drop_table('installation', schema='control')
    op.drop_table('cell', schema='control')
