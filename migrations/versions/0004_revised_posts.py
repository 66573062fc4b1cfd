"""revised posts"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The newest text that was made public after another one was, of posts with more than one.
BACKFILL = """
UPDATE posts SET revised_at = (
    SELECT max(later.created_at) FROM revisions AS later
    WHERE later.post_id = posts.id AND later.kind = 'published'
      AND later.created_at > posts.first_published_at
      AND EXISTS (
        SELECT 1 FROM revisions AS earlier
        WHERE earlier.post_id = posts.id AND earlier.number < later.number
          AND earlier.kind IN ('published', 'imported')
      )
)
WHERE title <> '' AND id IN (SELECT post_id FROM revisions WHERE number > 1)
"""


def upgrade() -> None:
    op.add_column("posts", sa.Column("revised_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(BACKFILL)


def downgrade() -> None:
    with op.batch_alter_table("posts", schema=None) as batch_op:
        batch_op.drop_column("revised_at")
