"""What the end of the case runner's process means for its task."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from orchestrator.domain.errors import InfrastructureError, ServerError
from orchestrator.domain.run import CaseStatus, TaskState
from workers.process.model import Exit, Reason
from workers.suites.base import Ending
from workers.suites.bvt import _ending


def ending(code: int, **counts: int) -> Ending:
    watcher = SimpleNamespace(
        counts=Counter({CaseStatus(name): count for name, count in counts.items()}),
        errors=["Traceback …"],
        summary=lambda: "1 of 2 commands failed",
    )
    job = SimpleNamespace(task=SimpleNamespace(category="join", id="bvt:join"))
    return _ending(cast("Any", job), cast("Any", watcher), Exit(code, None, Reason.EXITED, 1.0), "by hand")


def test_failed_commands_fail_the_task() -> None:
    assert ending(1, failed=1, passed=1).state is TaskState.FAILED


def test_no_failed_command_and_exit_1_is_a_crash_of_ours_and_not_a_failure() -> None:
    with pytest.raises(InfrastructureError, match="Traceback"):
        ending(1, passed=1)


def test_a_lost_server_is_infrastructure() -> None:
    with pytest.raises(ServerError):
        ending(3, passed=1)


def test_scripts_without_a_command_are_skipped() -> None:
    assert ending(0).state is TaskState.SKIPPED
    assert ending(0, passed=2).state is TaskState.PASSED
