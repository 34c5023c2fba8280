"""Runs, tasks, case results, outbox and audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Lay out an empty database."""
    _runs()
    _results()
    _outbox()
    op.create_table(
        "audit",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("who", "origin", "action", "target", "result")),
    )
    op.create_index("audit_by_target", "audit", ["target", "id"])


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("plan_json", sa.Text),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("pr_number", sa.BigInteger),
        sa.Column("parent", sa.Text),
        sa.Column("repo_commit", sa.Text),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("ended", sa.Float),
        sa.Column("cost", sa.Float, nullable=False),
        sa.Column("cancelled_by", sa.Text),
    )
    op.create_index("runs_by_time", "runs", ["created"])
    op.create_index("runs_by_pr", "runs", ["pr_number", "created"])


def _results() -> None:
    op.create_table(
        "tasks",
        sa.Column("run", sa.Text, sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("passed", "failed", "skipped")),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("failures", sa.Text, nullable=False),
        sa.Column("host", sa.Text),
        sa.Column("reproduce", sa.Text),
    )
    op.create_table(
        "case_results",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("run", sa.Text, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("kind", sa.Text),
        sa.Column("file", sa.Text),
        sa.Column("line", sa.Integer),
        sa.Column("expected", sa.Text),
        sa.Column("actual", sa.Text),
        sa.UniqueConstraint("run", "source_id"),
    )
    op.create_index("cases_by_task", "case_results", ["run", "task", "status"])


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("next_at", sa.Float, nullable=False),
        sa.Column("lease_until", sa.Float, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("sent_at", sa.Float),
    )
    op.create_index("outbox_by_channel", "outbox", ["state", "channel", "id"])
    op.create_index("ix_outbox_run", "outbox", ["run"])
