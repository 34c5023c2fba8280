"""Tools that change something: guarded by role, reason, key and budget, all of it on record."""

from __future__ import annotations

import functools
from typing import Annotated

from pydantic import Field

from orchestrator.mcp.desk import DryRun, Key, McpDesk, PlanId, Reason, RunName, order
from orchestrator.service.writes import Done

Tasks = Annotated[list[str] | None, Field(max_length=1000, description="Only these tasks.")]


class Ordering:
    """Each public method is a tool."""

    def __init__(self, desk: McpDesk) -> None:
        self._desk = desk

    def start_run(self, plan: PlanId, reason: Reason, key: Key, dry_run: DryRun = False) -> Done:
        """Start a plan that plan_change made. A retry with the same key is the same run. Needs role developer."""
        caller = self._desk.writer()
        writes = self._desk.service.writes
        made = functools.partial(writes.kept, plan)
        return writes.start(caller, order(reason, key, dry_run), made, named=plan[:12])

    def rerun_run(  # noqa: PLR0913 - what and how
        self,
        run: RunName,
        reason: Reason,
        key: Key,
        failed: Annotated[bool, Field(description="What failed and what infrastructure took down; else all.")] = True,
        tasks: Tasks = None,
        dry_run: DryRun = False,
    ) -> Done:
        """Run again on the same commit: a new run with this one as its parent. Needs role developer."""
        caller = self._desk.writer()
        return self._desk.service.writes.rerun(
            caller, order(reason, key, dry_run), run, failed=failed and not tasks, tasks=tasks or ()
        )

    def cancel_run(self, run: RunName, reason: Reason, key: Key, tasks: Tasks = None, dry_run: DryRun = False) -> Done:
        """End a run, or some of its tasks. One's own needs role developer, another's maintainer."""
        caller = self._desk.writer()
        return self._desk.service.writes.cancel(caller, order(reason, key, dry_run), run, tasks or ())
