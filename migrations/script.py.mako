"""${message}

Must run beside the previous code: expand, backfill, contract are three releases (migrations/README.md).
Raise nothing on a second run; take locks under a lock timeout; no backfill here.
"""

from alembic import op
import sqlalchemy as sa
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None
# Of the tenant tree only: expand, backfill or contract (migrations/README.md).
kind = 'expand'


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
