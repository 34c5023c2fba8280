"""Measured seconds of tasks and scripts, for estimates; deeds of commands that ran where the store is not."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add them; the number of the layout, which revisions replace, goes."""
    op.create_table(
        "durations",
        sa.Column("profile", sa.Text, primary_key=True),
        sa.Column("unit", sa.Text, primary_key=True),
        sa.Column("recent", sa.Text, nullable=False),
        sa.Column("updated", sa.Float, nullable=False),
    )
    op.add_column("tasks", sa.Column("setup", sa.Float, nullable=False, server_default="0"))
    op.create_index("tasks_by_task", "tasks", ["task", "run"])
    with op.batch_alter_table("audit") as audit:
        audit.add_column(sa.Column("source_id", sa.Text))
        audit.create_unique_constraint("audit_source", ["source_id"])
    if sa.inspect(op.get_bind()).has_table("mo_testplan_scheme"):
        op.drop_table("mo_testplan_scheme")
