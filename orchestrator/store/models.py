"""The tables. All metadata is in this module, so that ``migrations`` have one place to compare with.

Times are Unix seconds; states are the words of :mod:`orchestrator.domain.run`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Float, ForeignKey, Index, Integer, Text, TypeDecorator, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from orchestrator.store import clean

if TYPE_CHECKING:
    from sqlalchemy import Dialect

#: SQLite numbers rows by itself only for INTEGER; PostgreSQL wants room for more.
_RowId = BigInteger().with_variant(Integer(), "sqlite")


class Words(TypeDecorator[str]):
    """Text that any database takes: what is written and what is looked for are made fit for it in the same way."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """``value`` as it is stored."""
        return None if value is None else clean.text(value, len(value))


class Base(DeclarativeBase):
    """The one metadata."""


class RunRow(Base):
    """A run: written at its start, completed once when it is committed."""

    __tablename__ = "runs"
    __table_args__ = (Index("runs_by_time", "created"), Index("runs_by_pr", "pr_number", "created"))

    id: Mapped[str] = mapped_column(Words, primary_key=True)
    #: NULL until committed: the one mark that decides who commits.
    state: Mapped[str | None] = mapped_column(Words)
    plan: Mapped[str] = mapped_column(Words, default="")
    plan_json: Mapped[str | None] = mapped_column(Words)
    profile: Mapped[str] = mapped_column(Words)
    pr_number: Mapped[int | None] = mapped_column(BigInteger)
    parent: Mapped[str | None] = mapped_column(Words)
    repo_commit: Mapped[str | None] = mapped_column(Words)
    created: Mapped[float] = mapped_column(Float)
    ended: Mapped[float | None] = mapped_column(Float)
    cost: Mapped[float] = mapped_column(Float, default=0.0)
    cancelled_by: Mapped[str | None] = mapped_column(Words)


class TaskRow(Base):
    """How a task of a run ended."""

    __tablename__ = "tasks"
    __table_args__ = (Index("tasks_by_task", "task", "run"),)

    run: Mapped[str] = mapped_column(Words, ForeignKey("runs.id"), primary_key=True)
    task: Mapped[str] = mapped_column(Words, primary_key=True)
    #: Place in the summary.
    position: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(Words)
    attempt: Mapped[int] = mapped_column(Integer)
    seconds: Mapped[float] = mapped_column(Float)
    #: Of ``seconds``, what making ready took: the tree, a server.
    setup: Mapped[float] = mapped_column(Float, default=0.0, server_default="0")
    passed: Mapped[int] = mapped_column(BigInteger)
    failed: Mapped[int] = mapped_column(BigInteger)
    skipped: Mapped[int] = mapped_column(BigInteger)
    message: Mapped[str] = mapped_column(Words)
    #: The first failures as a JSON list, as the summary carried them.
    failures: Mapped[str] = mapped_column(Words)
    host: Mapped[str | None] = mapped_column(Words)
    reproduce: Mapped[str | None] = mapped_column(Words)
    #: 1: it failed first and passed then.
    flaky: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: Why its failure blocks nothing.
    quarantine: Mapped[str | None] = mapped_column(Words)
    #: How its end went when it was cancelled, as JSON.
    stop: Mapped[str | None] = mapped_column(Words)


class QuarantineRow(Base):
    """A test whose failures block nobody until a day."""

    __tablename__ = "quarantine"

    profile: Mapped[str] = mapped_column(Words, primary_key=True)
    test: Mapped[str] = mapped_column(Words, primary_key=True)
    owner: Mapped[str] = mapped_column(Words)
    until: Mapped[float] = mapped_column(Float)
    reason: Mapped[str] = mapped_column(Words)


class CaseRow(Base):
    """One Go test, SQL command or finding of an attempt."""

    __tablename__ = "case_results"
    __table_args__ = (UniqueConstraint("run", "source_id"), Index("cases_by_task", "run", "task", "status"))

    id: Mapped[int] = mapped_column(_RowId, primary_key=True, autoincrement=True)
    run: Mapped[str] = mapped_column(Words, ForeignKey("runs.id"))
    source_id: Mapped[str] = mapped_column(Words)
    task: Mapped[str] = mapped_column(Words)
    attempt: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(Words)
    status: Mapped[str] = mapped_column(Words)
    seconds: Mapped[float] = mapped_column(Float)
    message: Mapped[str] = mapped_column(Words)
    kind: Mapped[str | None] = mapped_column(Words)
    file: Mapped[str | None] = mapped_column(Words)
    line: Mapped[int | None] = mapped_column(Integer)
    expected: Mapped[str | None] = mapped_column(Words)
    actual: Mapped[str | None] = mapped_column(Words)


class OutboxRow(Base):
    """A message to deliver. It names its run without a foreign key: later messages may tell of no run at all."""

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_by_channel", "state", "channel", "id"),)

    id: Mapped[int] = mapped_column(_RowId, primary_key=True, autoincrement=True)
    run: Mapped[str] = mapped_column(Words, index=True)
    channel: Mapped[str] = mapped_column(Words)
    kind: Mapped[str] = mapped_column(Words)
    payload: Mapped[str] = mapped_column(Words)
    key: Mapped[str] = mapped_column(Words, unique=True)
    state: Mapped[str] = mapped_column(Words)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    created: Mapped[float] = mapped_column(Float)
    next_at: Mapped[float] = mapped_column(Float)
    #: Until then one drainer has it to itself.
    lease_until: Mapped[float] = mapped_column(Float, default=0.0)
    error: Mapped[str | None] = mapped_column(Words)
    sent_at: Mapped[float | None] = mapped_column(Float)


class AuditRow(Base):
    """Written once, never changed."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_by_target", "target", "id"), UniqueConstraint("source_id", name="audit_source"))

    id: Mapped[int] = mapped_column(_RowId, primary_key=True, autoincrement=True)
    at: Mapped[float] = mapped_column(Float)
    who: Mapped[str] = mapped_column(Words)
    origin: Mapped[str] = mapped_column(Words)
    action: Mapped[str] = mapped_column(Words)
    target: Mapped[str] = mapped_column(Words)
    result: Mapped[str] = mapped_column(Words)
    #: Of a deed that came through the ledger: its id there, so that reading it twice writes it once.
    source_id: Mapped[str | None] = mapped_column(Words)


class DurationRow(Base):
    """The last measured seconds of a task or a script, which outlive the results they came from."""

    __tablename__ = "durations"

    profile: Mapped[str] = mapped_column(Words, primary_key=True)
    #: A task's id, a script's path in the tree, or ``setup:`` and the queue of a suite.
    unit: Mapped[str] = mapped_column(Words, primary_key=True)
    #: JSON list of seconds, newest first.
    recent: Mapped[str] = mapped_column(Words)
    updated: Mapped[float] = mapped_column(Float)
