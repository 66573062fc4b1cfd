"""what readers see, as a number"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "public_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_public_version_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_version")),
    )


def downgrade() -> None:
    op.drop_table("public_version")
