"""Flaky and quarantined tasks, how a cancelled one ended, and the quarantine list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "quarantine",
        sa.Column("profile", sa.Text, primary_key=True),
        sa.Column("test", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.add_column("tasks", sa.Column("flaky", sa.Integer, nullable=False, server_default="0"))
    op.add_column("tasks", sa.Column("quarantine", sa.Text))
    op.add_column("tasks", sa.Column("stop", sa.Text))
