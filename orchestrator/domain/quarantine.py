"""Tests that are known to be bad: they run and are shown, and block nobody until their time is up."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.run import CaseResult, CaseStatus, TaskResult, TaskState


@dataclass(frozen=True, slots=True)
class Quarantine:
    """One entry of the list."""

    #: A task id (``ut:pkg/a``; with a category its parts are meant), or the name of a case in any task (``TestA``; its
    #: subtests are meant, too).
    test: str
    #: Who mends it.
    owner: str
    #: Unix seconds: from then on it blocks again.
    until: float
    reason: str = ""

    @property
    def words(self) -> str:
        """``li until 2026-01-31: waits for a fix``."""
        why = f": {self.reason}" if self.reason else ""
        return f"{self.owner} until {time.strftime('%Y-%m-%d', time.gmtime(self.until))}{why}"

    def covers(self, task: str, category: str | None = None, case: CaseResult | None = None) -> bool:
        """Whether it is about this task, or this case.

        ``category`` is the plan's word for what the task runs: by its id, ``bvt:join#2`` may be a part of ``join``, or
        a category that is really called so.
        """
        if self.test == task or (category is not None and self.test == f"bvt:{category}"):
            return True
        return case is not None and (case.name == self.test or _below(case.name, self.test))


def apply(
    results: Iterable[TaskResult], entries: Sequence[Quarantine], categories: Mapping[str, str]
) -> tuple[TaskResult, ...]:
    """``results`` with those failures marked that block nothing: the task's own, or all cases that failed in it.

    ``categories`` says of each SQL task in the plan which it is of.
    """
    return tuple(_marked(result, entries, categories.get(result.task)) for result in results)


def _marked(result: TaskResult, entries: Sequence[Quarantine], category: str | None) -> TaskResult:
    if result.state is not TaskState.FAILED:
        return result
    whole = next((entry for entry in entries if entry.covers(result.task, category)), None)
    entry = whole or _by_cases(result, entries)
    return result if entry is None else dataclasses.replace(result, quarantine=entry.words)


def _by_cases(result: TaskResult, entries: Sequence[Quarantine]) -> Quarantine | None:
    """The entry of the first failed case, when every one has an entry and none is hidden behind the limit."""
    failed = [case for case in result.failures if case.status in (CaseStatus.FAILED, CaseStatus.ERROR)]
    if not failed or len(failed) != result.failed:
        return None
    found = [next((entry for entry in entries if entry.covers(result.task, case=case)), None) for case in failed]
    return None if None in found else found[0]


def _below(name: str, test: str) -> bool:
    return name.startswith(f"{test}/")
