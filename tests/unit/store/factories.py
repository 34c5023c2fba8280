"""Runs and messages for tests of the store and of what is told about runs."""

from __future__ import annotations

import dataclasses
from typing import Any

from orchestrator.domain.run import CaseResult, CaseStatus, FailureKind, RunState, RunSummary, TaskResult, TaskState
from orchestrator.store import OutboxMessage, StoredCase

SQL_FAILURE = CaseResult(
    name="select sum(a) from t1",
    status=CaseStatus.FAILED,
    seconds=0.25,
    message="row 1 differs",
    kind=FailureKind.MISMATCH,
    file="join/join.sql",
    line=17,
    expected="6",
    actual="7",
)
GO_FAILURE = CaseResult(
    name="TestDiscount/half_price",
    status=CaseStatus.FAILED,
    seconds=0.01,
    message="got 50, want 40",
    kind=FailureKind.TEST,
    file="pkg/price/price_test.go",
    line=12,
)


def make_task(task: str = "ut:pkg/price", state: TaskState = TaskState.PASSED, **changes: Any) -> TaskResult:  # noqa: ANN401
    return dataclasses.replace(TaskResult(task=task, state=state, seconds=1.5, passed=3, host="h1"), **changes)


def failed_tasks() -> tuple[TaskResult, ...]:
    return (
        make_task("ut:pkg/price", TaskState.FAILED, failed=1, failures=(GO_FAILURE,), message="1 test failed"),
        make_task("bvt:join", TaskState.FAILED, failed=1, failures=(SQL_FAILURE,), reproduce="mo-testplan cases run"),
        make_task("sca:go-vet"),
    )


def make_summary(run: str = "r-0001", state: RunState = RunState.FAILED, **changes: Any) -> RunSummary:  # noqa: ANN401
    summary = RunSummary(
        run=run,
        state=state,
        plan="a" * 64,
        profile="demo",
        pr_number=42,
        parent=None,
        created=1_700_000_000.0,
        ended=1_700_000_200.0,
        tasks=failed_tasks() if state is RunState.FAILED else (make_task(),),
        cost=754.0,
    )
    return dataclasses.replace(summary, **changes)


def make_message(run: str = "r-0001", channel: str = "wecom", key: str | None = None, **changes: Any) -> OutboxMessage:  # noqa: ANN401
    message = OutboxMessage(run, channel, "summary", '{"markdown": "hello"}', key or f"{run}:summary:{channel}")
    return dataclasses.replace(message, **changes)


def make_cases(count: int, task: str = "ut:pkg/price", status: CaseStatus = CaseStatus.PASSED) -> list[StoredCase]:
    return [
        StoredCase(f"1700000000000-{n}", task, 1, CaseResult(name=f"Test{n}", status=status, seconds=n / 8))
        for n in range(count)
    ]
