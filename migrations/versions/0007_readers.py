"""readers"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "post_views",
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.Column("visitors", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_post_views_post_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("post_id", "day", name=op.f("pk_post_views")),
    )
    with op.batch_alter_table("post_views", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_post_views_day"), ["day"], unique=False)

    op.create_table(
        "post_referrers",
        sa.Column("post_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("host", sa.String(length=100), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_post_referrers_post_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("post_id", "day", "host", name=op.f("pk_post_referrers")),
    )
    with op.batch_alter_table("post_referrers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_post_referrers_day"), ["day"], unique=False)

    op.create_table(
        "visitor_salts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_visitor_salts")),
    )
    op.create_table(
        "visitor_digests",
        sa.Column("digest", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_visitor_digests")),
    )
    with op.batch_alter_table("visitor_digests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visitor_digests_day"), ["day"], unique=False)


def downgrade() -> None:
    op.drop_table("visitor_digests")
    op.drop_table("visitor_salts")
    op.drop_table("post_referrers")
    op.drop_table("post_views")
