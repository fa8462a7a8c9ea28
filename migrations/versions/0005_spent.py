"""CPU time of jobs that were deleted"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spent",
        sa.Column("job_id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=True),
        sa.Column("cpu_seconds", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name=op.f("fk_spent_workspace_id_workspaces")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_spent")),
    )
    op.create_index("ix_spent_workspace_id_created_at", "spent", ["workspace_id", "created_at"])


def downgrade() -> None:
    op.drop_index("ix_spent_workspace_id_created_at", "spent")
    op.drop_table("spent")
