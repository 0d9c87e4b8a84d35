"""what each onboarding runs: its template, version and definition on the card of lists

Expand: columns that the previous code does not fill; `slipway onboardings refill` fills them.
"""

from alembic import op
import sqlalchemy as sa

revision = 'control_0018'
down_revision = 'control_0017'
branch_labels = None
depends_on = None

COLUMNS = ('template_id', 'version', 'definition')
INDEX = 'ix_onboarding_card_organisation_id_template_id'


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column(
            'onboarding_card',
            sa.Column(name, sa.Text(), nullable=True),
            schema='control',
            if_not_exists=True,
        )
    op.create_index(INDEX, 'onboarding_card', ['organisation_id', 'template_id'], schema='control', if_not_exists=True)


def downgrade() -> None:
    op.drop_index(INDEX, 'onboarding_card', schema='control', if_exists=True)
    for name in COLUMNS:
        op.drop_column('onboarding_card', name, schema='control', if_exists=True)
