"""How a camera's packets come: TCP, UDP, or whichever works."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE cameras ADD COLUMN transport VARCHAR(8) DEFAULT 'tcp' NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE cameras DROP COLUMN transport")
