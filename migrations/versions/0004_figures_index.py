"""An index that holds all that charts, filters and orders of candidates look at."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FIGURES = ("accuracy", "latency_ms", "size_bytes", "macs", "bops", "peak_memory_bytes", "energy_mj")


def upgrade() -> None:
    columns = ["job_id", "n", "search_id", "index", "feasible", "on_front", *FIGURES]
    op.create_index("ix_candidates_figures", "candidates", columns)
    op.drop_index("ix_candidates_job_id_accuracy_n", "candidates")
    op.drop_index("ix_candidates_job_id_latency_ms_n", "candidates")


def downgrade() -> None:
    op.create_index("ix_candidates_job_id_latency_ms_n", "candidates", ["job_id", "latency_ms", "n"])
    op.create_index("ix_candidates_job_id_accuracy_n", "candidates", ["job_id", "accuracy", "n"])
    op.drop_index("ix_candidates_figures", "candidates")
