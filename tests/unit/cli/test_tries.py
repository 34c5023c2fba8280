"""What people read of second tries, quarantine and cancels."""

from __future__ import annotations

from orchestrator.cli.progress import describe, seconds_words
from orchestrator.cli.show import task_lines
from orchestrator.cli.status import outlook_lines
from orchestrator.domain.run import Stop, TaskResult, TaskState
from orchestrator.ledger.records import Event
from orchestrator.runs.outlook import Ahead, Outlook, Waits


def test_every_second_try_says_why() -> None:
    fields = {"task": "ut:a", "attempt": "1"}
    told = {why: describe(Event("1-1", "retried", {**fields, "why": why})) for why in ("silent", "error", "failed")}
    assert "went silent (attempt 1); runs again" in told["silent"]
    assert "infrastructure failed it" in told["error"]
    assert "one more try is to confirm" in told["failed"]
    overlap = Event("1-1", "overlap", {"task": "ut:a", "host": "h:x", "seconds": "0.400"})
    assert "two hosts had it for 0.400 s" in describe(overlap)


def test_a_flaky_a_quarantined_and_a_cancelled_task_are_told_as_such() -> None:
    flaky = TaskResult("ut:a", TaskState.PASSED, 2, message="failed in attempt 1: 1 of 2 failed", flaky=True)
    assert next(task_lines(flaky)).startswith("  flaky: ut:a")
    kept = TaskResult("ut:b", TaskState.FAILED, quarantine="li until 2026-12-31: issue 12")
    assert "in quarantine, blocks nothing: li until 2026-12-31" in "\n".join(task_lines(kept))
    ended = TaskResult("ut:c", TaskState.CANCELLED, stop=Stop(0.2, 0.5, 0.6))
    assert "signalled after 0.20 s, gone after 0.50 s, cleaned up after 0.60 s" in "\n".join(task_lines(ended))


def test_who_is_ahead_and_how_long_it_takes_are_said_in_a_line_each() -> None:
    who = (Ahead("r1", 7, 28), Ahead("r2", None, 1), Ahead("r3", None, 1), Ahead("r4", None, 1))
    lines = list(outlook_lines(Outlook(200.4, (Waits("ut", 12, 31, who), Waits("bvt", 1, 0, ())))))
    assert lines[0] == "  about 3 min 20 s left"
    assert "12 shards wait in queue ut behind 31 others: 28 of run r1 (PR 7), 1 of run r2" in lines[1]
    assert lines[1].endswith("and 1 more run")
    assert lines[2].endswith("1 shard waits in queue bvt, it is next")
    assert [seconds_words(seconds) for seconds in (0.4, 59, 3600 * 2 + 300)] == ["0 s", "59 s", "2 h 05 min"]
