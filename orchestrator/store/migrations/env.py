"""What Alembic runs for each command: the caller's connection and transaction, our metadata."""

from __future__ import annotations

from alembic import context

from orchestrator.store.migrations import VERSION_TABLE
from orchestrator.store.models import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, version_table=VERSION_TABLE
)
with context.begin_transaction():
    context.run_migrations()
