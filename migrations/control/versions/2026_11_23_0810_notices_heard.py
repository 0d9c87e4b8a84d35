"""which end of a version each organisation that has it was told of, so that an operator sees who was not

Expand: the previous code does not fill the column. Whoever was told before is taken to have heard.
"""

from alembic import op
import sqlalchemy as sa

revision = 'control_0019'
down_revision = 'control_0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        'listing_install', sa.Column('heard', sa.Text(), nullable=True), schema='control', if_not_exists=True
    )
    op.execute("""
        UPDATE control.listing_install i SET heard = v.state FROM control.listing_version v
        WHERE v.id = i.version_id AND v.state IN ('deprecated', 'withdrawn', 'taken_down') AND i.heard IS NULL
    """)


def downgrade() -> None:
    op.drop_column('listing_install', 'heard', schema='control', if_exists=True)
