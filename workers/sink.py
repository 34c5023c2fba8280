"""What a running task says, on its way out: counted, written to its folder, and sent to the ledger in batches."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from orchestrator.domain.errors import InfrastructureError
from orchestrator.domain.naming import case_name
from orchestrator.domain.plain import to_plain
from orchestrator.domain.run import CaseResult, CaseStatus
from orchestrator.ledger.client import Ledger
from workers.nofollow import no_link

logger = logging.getLogger(__name__)

#: Failures kept in the task's own result; all of them are in the case stream and in ``cases.jsonl``.
FAILURES_KEPT = 20
#: Characters of a name, and of a message, that leave the host; the log has the rest.
NAME_LIMIT, MESSAGE_LIMIT = 500, 4000
#: Characters of messages, expectations and answers that an attempt sends so; of what comes then, :data:`SHORT` each: a
#: run's cases wait in Redis, which everybody shares, until it ends, and a test can fail 200,000 times in a minute.
ROOM, SHORT = 4 << 20, 200
#: Log lines sent per batch: a flood shows its end, the file has all of it.
_LINES_PER_BATCH = 500
_NOTHING = dict.fromkeys(CaseStatus, 0)


class Sink:
    """Collects cases and log lines of one attempt. ``flush`` is called by the heart; every method is thread-safe."""

    def __init__(self, ledger: Ledger, run: str, task: str, attempt: int, folder: Path) -> None:
        self._ledger, self._run, self._task, self._attempt = ledger, run, task, attempt
        self._lock = threading.Lock()
        #: Held while a batch is under way: the ledger knows each by how many cases went before it.
        self._sending = threading.Lock()
        self._sent = 0
        self._over = False
        self._room = ROOM
        self._cases: list[CaseResult] = []
        self._lines: list[str] = []
        self._case_file, self._log_file = _File(folder, "cases.jsonl"), _File(folder, "log.txt")
        self.counts = _NOTHING.copy()
        self.failures: list[CaseResult] = []

    def case(self, case: CaseResult) -> None:
        """A case ended."""
        with self._lock:
            case = _cut(case, MESSAGE_LIMIT if self._room > 0 else SHORT)
            self._room -= sum(len(text or "") for text in (case.message, case.expected, case.actual))
            self.counts[case.status] += 1
            self._cases.append(case)
            if case.status in (CaseStatus.FAILED, CaseStatus.ERROR) and len(self.failures) < FAILURES_KEPT:
                self.failures.append(case)
            self._case_file.write(json.dumps(to_plain(case), ensure_ascii=False) + "\n")

    def line(self, line: str) -> None:
        """A line of the log."""
        with self._lock:
            if self._over:
                return
            self._lines.append(line[:MESSAGE_LIMIT])
            self._log_file.write(line + "\n")

    def flush(self, through: Ledger | None = None) -> None:
        """Send what came since the last time, through another connection if one is named."""
        with self._sending:
            self._flush(through or self._ledger)

    def _flush(self, ledger: Ledger) -> None:
        with self._lock:
            cases, self._cases = self._cases, []
            lines, self._lines = self._lines[-_LINES_PER_BATCH:], []
        try:
            if cases:
                ledger.append_cases(self._run, self._task, self._attempt, cases, before=self._sent)
                self._sent += len(cases)
                cases = []
            if lines:
                ledger.append_log(self._run, self._task, lines)
                lines = []
        finally:
            with self._lock:  # what could not be sent goes with the next batch
                self._cases[:0], self._lines[:0] = cases, lines

    def close(self) -> None:
        """Close the files; sends nothing. What a server of the shard says from now on belongs to no task."""
        with self._lock:
            self._over = True
            self._case_file.close()
            self._log_file.close()


class _File:
    """A file that is made, with its folder, when it is first written to.

    A disk that is full cuts it short, and costs no result. It is never written through a link.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._file: TextIO | None = None
        self._cut = False

    def write(self, text: str) -> None:
        if self._file is None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                path = self._folder / self._name
                self._file = open(path, "a", encoding="utf-8", errors="replace", opener=no_link)  # noqa: SIM115
            except OSError as error:
                raise InfrastructureError(f"its log cannot be kept on this host: {error}", "Free its disk.") from error
        if not self._cut:
            self._guarded(lambda file: file.write(text))

    def close(self) -> None:
        self._guarded(lambda file: file.close())

    def _guarded(self, act: Callable[[TextIO], object]) -> None:
        if self._file is None:
            return
        try:
            act(self._file)
        except OSError as error:
            self._cut = True
            logger.warning("%s is cut short: %s", self._folder / self._name, error)


def task_folder(artifacts: Path, run: str, task: str) -> Path:
    """Where the attempts at a task (``1``, ``2``, …) leave their files: one safe name a task, unlike any other's."""
    safe = "".join(char if (char.isascii() and char.isalnum()) or char in "-_." else "_" for char in task)[:80]
    digest = hashlib.sha1(uuid.NAMESPACE_OID.bytes + task.encode(errors="replace"), usedforsecurity=False)
    return artifacts.joinpath(run, f"{safe.lstrip('.')}-{digest.hexdigest()[:8]}")


def _cut(case: CaseResult, limit: int) -> CaseResult:
    def short(text: str | None) -> str | None:
        if text is None or len(text) <= limit:
            return text
        return text[:limit] + f"… ({len(text)} characters)"

    return dataclasses.replace(
        case,
        name=case_name(case.name, NAME_LIMIT),
        message=short(case.message) or "",
        expected=short(case.expected),
        actual=short(case.actual),
    )
