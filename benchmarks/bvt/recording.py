"""Method genrs twice and then run: where both recordings agree, every command must pass."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from benchmarks.bvt.alone import Seen, run_alone
from orchestrator.cases.discover import find_result, read_text, result_paths
from orchestrator.cases.expectation import FULL_HEADER, split_expectations
from orchestrator.cases.script import parse_script
from orchestrator.domain.errors import BadCaseError
from workers.bvt.dsn import Dsn
from workers.bvt.execute import Options
from workers.bvt.results import CommandResult
from workers.bvt.runner import Case, Runner

#: Seconds a statement and a script get; what takes longer is not recorded alike.
_STATEMENT, _SCRIPT = 10.0, 60.0
#: Further recordings of a script that was recorded alike twice and then fails.
_AGAIN = 5


@dataclass
class Recordings:
    """What came of it, in scripts."""

    tried: int = 0
    #: Recorded with the same bytes each time.
    alike: int = 0
    #: Of those, all that fails has the very text that was recorded: the format cannot hold it, and mo-tester fails too.
    unreadable: int = 0
    #: Of those, all commands pass when run.
    passed: int = 0
    #: Of those, the server refuses nothing that the tree's own result file does not expect to be refused.
    clean: int = 0

    def __str__(self) -> str:
        return (
            f"{self.tried} scripts, {self.alike} recorded alike twice, {self.passed} of them pass in full and "
            f"{self.unreadable} hold an answer that the format cannot; "
            f"{self.clean} of them without an unexpected error"
        )


@dataclass
class _Errors(Seen):
    """Also keeps which lines the server answered with an error."""

    def command(self, result: CommandResult) -> None:
        """Keep it."""
        Seen.command(self, result)
        if result.actual is not None and not result.actual.startswith(FULL_HEADER):
            self.rows.append(result.line)


def record_all(dsn: Dsn, tree: Path, names: Iterable[str], told: TextIO) -> Recordings:
    """Record every script of ``names`` twice and run those that are recorded alike."""
    sums = Recordings()
    for name in names:
        sums.tried += 1
        with tempfile.TemporaryDirectory() as folder:
            base = Path(folder)
            case = Case(base / name, name, base)
            case.file.parent.mkdir(parents=True)
            shutil.copy(tree.parent / name, case.file)
            target = base / result_paths(name)[0]
            seen = _record(dsn, case, target)
            first = target.read_bytes()
            _record(dsn, case, target)
            if target.read_bytes() != first or seen.abnormal:
                continue
            sums.alike += 1
            failed = run_alone(dsn, case, metadata=True)
            if failed.rows and _changes(dsn, case, target, first):
                sums.alike -= 1  # alike by chance
                continue
        sums.passed += not failed.rows
        sums.unreadable += bool(failed.rows) and all(result.actual == result.expected for result in failed.results)
        sums.clean += not _unexpected(name, tree, seen.rows)
        if failed.rows:
            print(f"{name}: recorded alike, yet {failed.rows[:9]} fail: {failed.results[0].reason[:160]}", file=told)
    return sums


def _changes(dsn: Dsn, case: Case, target: Path, first: bytes) -> bool:
    """Whether a few more recordings differ from the first: an order that the server is free to choose, say."""
    for _ in range(_AGAIN):
        _record(dsn, case, target)
        if target.read_bytes() != first:
            return True
    return False


def _record(dsn: Dsn, case: Case, target: Path) -> Seen:
    seen = _Errors()
    options = Options(
        ignore_issues=True,
        reset=True,
        resources=str(case.base / "resources") if case.base else "",
        statement_timeout=_STATEMENT,
        script_timeout=_SCRIPT,
    )
    with Runner(dsn, options, seen, threading.Event()) as runner:
        runner.record(case, target)
    return seen


def _unexpected(name: str, tree: Path, errors: list[int]) -> list[int]:
    """Lines of ``errors`` where the tree's result file has no text, or a result set: there no error is expected."""
    script = parse_script(read_text(tree.parent / name), name, ignore_issues=True)
    found = find_result(name, tree.parent)
    try:
        expectations = split_expectations(script, read_text(tree.parent / found)) if found else []
    except BadCaseError:
        expectations = []
    texts = {
        command.line: expectation.text
        for command, expectation in zip(script.commands, expectations, strict=False)
        if not command.ignore
    }
    return [line for line in errors if not _like_error(texts.get(line))]


def _like_error(text: str | None) -> bool:
    """Errors are recorded without a mark: a text that is no full result set and has no rows may be one."""
    return text is not None and not text.startswith(FULL_HEADER) and "\n" not in text.strip("\n")
