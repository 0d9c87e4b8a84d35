"""what a partner offers of each template, and what overlays stand on

Expand: three columns that the previous code leaves empty, a table that it does not know. What was offered until now, the
newest template with the newest overlay upon it, becomes the first entry of each line.
"""

from alembic import op
import sqlalchemy as sa

revision = 'control_0016'
down_revision = 'control_0015'
branch_labels = None
depends_on = None

_STANDS_ON = """
    UPDATE control.template_version SET template_digest = document -> 'base' ->> 'digest'
    WHERE kind = 'overlay' AND template_digest IS NULL
"""
_FIRST = """
    INSERT INTO control.template_line
      (organisation_id, template_id, seq, template_digest, overlay_digest, why, changed_by, changed_at)
    SELECT DISTINCT ON (t.organisation_id, t.template_id) t.organisation_id, t.template_id, 1, t.digest,
      (SELECT o.digest FROM control.template_version o WHERE o.organisation_id = t.organisation_id
         AND o.kind = 'overlay' AND o.template_digest = t.digest ORDER BY o.published_at DESC, o.digest LIMIT 1),
      'published', 'templates', t.published_at
    FROM control.template_version t WHERE t.kind = 'template'
    ORDER BY t.organisation_id, t.template_id, t.published_at DESC, t.digest
    ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    for name in ('template_digest', 'below', 'result'):
        op.add_column('template_version', sa.Column(name, sa.Text(), nullable=True), schema='control', if_not_exists=True)
    op.create_table(
        'template_line',
        sa.Column('organisation_id', sa.UUID(), nullable=False),
        sa.Column('template_id', sa.Text(), nullable=False),
        sa.Column('seq', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('template_digest', sa.Text(), nullable=False),
        sa.Column('overlay_digest', sa.Text(), nullable=True),
        sa.Column('why', sa.Text(), nullable=False),
        sa.Column('changed_by', sa.Text(), nullable=False),
        sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['organisation_id'], ['control.organisation.id'], name=op.f('fk_template_line_organisation_id')
        ),
        sa.PrimaryKeyConstraint('organisation_id', 'template_id', 'seq', name=op.f('pk_template_line')),
        schema='control',
        if_not_exists=True,
    )
    op.execute(_STANDS_ON)
    op.execute(_FIRST)


def downgrade() -> None:
    op.drop_table('template_line', schema='control', if_exists=True)
    for name in ('template_digest', 'below', 'result'):
        op.drop_column('template_version', name, schema='control', if_exists=True)
