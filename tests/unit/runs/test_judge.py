"""The judge of the chaos campaign: what a task may have come to, given its test, its tries and what was done to it."""

from __future__ import annotations

import pytest

from benchmarks.rig.judge import Tries, tries_of, wrong_task
from benchmarks.rig.project import Behaviour
from orchestrator.domain.run import TaskResult, TaskState
from orchestrator.ledger.records import Event

PASSED, FAILED, LOST, CANCELLED = TaskState.PASSED, TaskState.FAILED, TaskState.LOST, TaskState.CANCELLED


def wrong(kind: str, result: TaskResult, tries: Tries, *, cancelled: bool = False) -> list[str]:
    return list(wrong_task(Behaviour(kind, cases=3), result, tries, cancelled=cancelled))


def passed(*, flaky: bool = False, attempt: int = 1) -> TaskResult:
    return TaskResult("ut:p", PASSED, attempt=attempt, passed=3, flaky=flaky)


def failed(*, attempt: int = 2) -> TaskResult:
    return TaskResult("ut:p", FAILED, attempt=attempt, passed=2, failed=1)


@pytest.mark.parametrize(
    ("kind", "result", "tries", "cancelled"),
    [
        ("passes", passed(), Tries(), False),
        ("passes", passed(attempt=2), Tries(taken=1), False),
        ("fails", failed(), Tries(doubts=1, last=2), False),
        ("fails", failed(attempt=1), Tries(last=1), True),
        ("flaky", passed(flaky=True, attempt=2), Tries(doubts=1, last=2), False),
        ("flaky", passed(attempt=2), Tries(taken=1, last=2), False),
        ("flaky", failed(attempt=1), Tries(doubts=1, taken=1, shaken=True, last=3), False),
        ("flaky", failed(attempt=1), Tries(doubts=1, last=2), False),
        ("flaky", failed(attempt=3), Tries(doubts=1, taken=1, shaken=True, last=3), False),
        ("flaky", failed(attempt=1), Tries(last=1), True),
        ("passes", TaskResult("ut:p", LOST), Tries(taken=2), False),
        ("passes", TaskResult("ut:p", CANCELLED), Tries(), True),
    ],
)
def test_what_may_be_is_accepted(kind: str, result: TaskResult, tries: Tries, *, cancelled: bool) -> None:
    assert wrong(kind, result, tries, cancelled=cancelled) == []


@pytest.mark.parametrize(
    ("kind", "result", "tries"),
    [
        ("passes", failed(), Tries(doubts=1, last=2)),
        ("passes", passed(flaky=True), Tries(doubts=1)),
        ("passes", TaskResult("ut:p", PASSED, passed=2), Tries()),
        ("fails", passed(), Tries()),
        ("fails", failed(attempt=1), Tries(last=1)),
        ("flaky", passed(), Tries(last=1)),
        ("flaky", passed(attempt=2), Tries(doubts=1, last=2)),
        ("flaky", passed(flaky=True, attempt=2), Tries(taken=1, last=2)),
        ("flaky", failed(), Tries(doubts=1, last=2)),
        ("flaky", failed(attempt=3), Tries(doubts=1, taken=1, last=3)),
        ("flaky", failed(attempt=1), Tries(last=1)),
        ("passes", TaskResult("ut:p", LOST), Tries()),
        ("passes", TaskResult("ut:p", CANCELLED), Tries()),
        ("passes", TaskResult("ut:p", TaskState.ERROR), Tries(taken=2)),
    ],
    ids=[
        "fails without a reason",
        "flaky without a reason",
        "a case is missing",
        "passes what fails",
        "a failure that nothing confirmed",
        "its failure was never seen",
        "its failure was seen and not told",
        "told without having been seen",
        "a second failure of what fails once",
        "the same, and what was taken down came before",
        "unconfirmed though nobody ended it",
        "lost without a fault",
        "ended by nobody",
        "infrastructure",
    ],
)
def test_what_cannot_be_is_said(kind: str, result: TaskResult, tries: Tries) -> None:
    assert len(wrong(kind, result, tries)) == 1


def test_tries_are_counted_from_the_events_of_a_run() -> None:
    rows = [
        ("started", {"task": "a", "attempt": "1"}),
        ("retried", {"task": "a", "why": "failed"}),
        ("retried", {"task": "a", "why": "silent"}),
        ("finished", {"task": "a", "attempt": "3"}),
        ("ended", {}),
    ]
    found = tries_of(Event(f"{n}-0", kind, fields) for n, (kind, fields) in enumerate(rows))
    assert found["a"] == Tries(doubts=1, taken=1, shaken=True, ends=1, last=3)
