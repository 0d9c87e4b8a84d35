"""the marketplace: listings, their versions, who has them, what is said of them, and publishers' keys

Expand: tables that the previous code does not know.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = 'control_0017'
down_revision = 'control_0016'
branch_labels = None
depends_on = None

_JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())


def _organisation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ['organisation_id'], ['control.organisation.id'], name=op.f(f'fk_{table}_organisation_id')
    )


def upgrade() -> None:
    op.create_table(
        'publisher_key',
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('key', sa.Text(), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        _organisation('publisher_key'),
        sa.PrimaryKeyConstraint('organisation_id', name=op.f('pk_publisher_key')),
        schema='control',
        if_not_exists=True,
    )
    op.create_table(
        'listing',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('template_id', sa.Text(), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        _organisation('listing'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_listing')),
        sa.UniqueConstraint('organisation_id', 'template_id', name=op.f('uq_listing_organisation_id_template_id')),
        schema='control',
        if_not_exists=True,
    )
    _versions()
    op.create_table(
        'listing_install',
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('version_id', sa.UUID(), nullable=False),
        sa.Column('listing_id', sa.UUID(), nullable=False),
        sa.Column('installed_at', sa.DateTime(timezone=True), nullable=False),
        _organisation('listing_install'),
        sa.ForeignKeyConstraint(['version_id'], ['control.listing_version.id'], name=op.f('fk_listing_install_version_id')),
        sa.ForeignKeyConstraint(['listing_id'], ['control.listing.id'], name=op.f('fk_listing_install_listing_id')),
        sa.PrimaryKeyConstraint('organisation_id', 'version_id', name=op.f('pk_listing_install')),
        schema='control',
        if_not_exists=True,
    )
    _index('listing_install', 'version_id')
    op.create_table(
        'listing_word',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('listing_id', sa.UUID(), nullable=False),
        sa.Column('kind', sa.Text(), nullable=False),
        sa.Column('stars', sa.Integer(), nullable=True),
        sa.Column('said', sa.Text(), nullable=False),
        sa.Column('by_name', sa.Text(), nullable=False),
        sa.Column('said_at', sa.DateTime(timezone=True), nullable=False),
        _organisation('listing_word'),
        sa.ForeignKeyConstraint(['listing_id'], ['control.listing.id'], name=op.f('fk_listing_word_listing_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_listing_word')),
        schema='control',
        if_not_exists=True,
    )
    _index('listing_word', 'listing_id')


def _versions() -> None:
    op.create_table(
        'listing_version',
        sa.Column('id', sa.UUID(), nullable=False),
        sa.Column('listing_id', sa.UUID(), nullable=False),
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('version', sa.Text(), nullable=False),
        sa.Column('digest', sa.Text(), nullable=False),
        sa.Column('package', sa.LargeBinary(), nullable=False),
        sa.Column('visibility', sa.Text(), nullable=False),
        sa.Column('state', sa.Text(), nullable=False),
        sa.Column('changelog', sa.Text(), nullable=False),
        sa.Column('facts', _JSON, nullable=False),
        sa.Column('search', sa.Text(), nullable=False),
        sa.Column('checks', _JSON, nullable=False),
        sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('submitted_by', _JSON, nullable=False),
        sa.Column('decision', _JSON, nullable=True),
        sa.Column('countersigned', sa.Text(), nullable=True),
        sa.Column('notice', _JSON, nullable=True),
        _organisation('listing_version'),
        sa.ForeignKeyConstraint(['listing_id'], ['control.listing.id'], name=op.f('fk_listing_version_listing_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_listing_version')),
        schema='control',
        if_not_exists=True,
    )
    for column in ('listing_id', 'organisation_id', 'state'):
        _index('listing_version', column)
    op.create_index(
        'uq_listing_version_offered',
        'listing_version',
        ['listing_id', 'version'],
        unique=True,
        schema='control',
        postgresql_where=sa.text("state NOT IN ('failed', 'declined', 'withdrawn')"),
        if_not_exists=True,
    )


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f'ix_{table}_{column}'), table, [column], schema='control', if_not_exists=True)


def downgrade() -> None:
    for table in ('listing_word', 'listing_install', 'listing_version', 'listing', 'publisher_key'):
        op.drop_table(table, schema='control', if_exists=True)
