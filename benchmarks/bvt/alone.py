"""Scripts run one by one, each by itself on a freshly reset server, and what did not pass."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.cases.discover import find_result, find_scripts
from workers.bvt.compare import VerdictKind
from workers.bvt.dsn import Dsn
from workers.bvt.execute import Options
from workers.bvt.results import CommandResult, ScriptResult
from workers.bvt.runner import Case, Runner

#: Longer than InnoDB waits for a lock: an answer that late is an answer.
STATEMENT_TIMEOUT = 60.0
SCRIPT_TIMEOUT = 120.0
#: Depends on the clock, on accounts, on files, or takes the server away.
_UNFIT = re.compile(r"user=|@system|@sleep|@wait|load\s+data|outfile|shutdown", re.IGNORECASE)
#: Expects what its author wrote, not what a server answered.
_PATTERN = re.compile(r"^\s*-- @(?:regex|pattern)", re.MULTILINE)


@dataclass
class Seen:
    """A listener that keeps what did not pass."""

    rows: list[int] = field(default_factory=list)
    results: list[CommandResult] = field(default_factory=list)
    total: int = 0
    abnormal: int = 0

    def command(self, result: CommandResult) -> None:
        """Keep it."""
        self.total += 1
        self.abnormal += result.verdict is VerdictKind.ABNORMAL
        if result.verdict not in (VerdictKind.PASS, VerdictKind.IGNORED):
            self.rows.append(result.line)
            self.results.append(result)

    def script(self, result: ScriptResult) -> None:
        """Not needed."""

    def close(self, scripts: Sequence[ScriptResult]) -> None:
        """Not needed."""


@dataclass
class ByScript:
    """A listener that keeps it apart by script."""

    seen: dict[str, Seen] = field(default_factory=dict)

    def command(self, result: CommandResult) -> None:
        """Keep it."""
        self.seen.setdefault(result.path, Seen()).command(result)

    def script(self, result: ScriptResult) -> None:
        """Not needed."""

    def close(self, scripts: Sequence[ScriptResult]) -> None:
        """Not needed."""


def comparable(tree: Path, only: str = "") -> list[str]:
    """Scripts below ``tree`` that can run by themselves on any server, from its parent."""
    names = [script.relative_to(tree.parent).as_posix() for script in find_scripts(tree)]
    return [
        name for name in names if only in name and not _UNFIT.search((tree.parent / name).read_text("utf-8", "replace"))
    ]


def recordable(tree: Path, only: str = "") -> list[str]:
    """Of the `comparable` scripts those whose expectations are all recorded: none has a pattern."""
    return [
        name
        for name in comparable(tree, only)
        if not _PATTERN.search((tree.parent / name).read_text("utf-8", "replace"))
    ]


@contextmanager
def alone(case: str, tree: Path) -> Iterator[Case]:
    """A script copied by itself, with its result file, as the reference runs had it."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for name in filter(None, (case, find_result(case, tree.parent))):
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(tree.parent / name, base / name)
        yield Case(base / case, case, base)


def run_category(dsn: Dsn, tree: Path, name: str) -> dict[str, Seen]:
    """The scripts of one directory of ``tree``, one after the other as in a run of it, without metadata."""
    told = ByScript()
    options = Options(metadata=False, ignore_issues=True, reset=True, resources=str(tree.parent / "resources"))
    with Runner(dsn, options, told, threading.Event()) as runner:
        for script in find_scripts(tree / name):
            runner.run(Case(script, script.relative_to(tree.parent).as_posix(), tree.parent))
    return told.seen


def run_alone(dsn: Dsn, case: Case, *, metadata: bool, patience: float = SCRIPT_TIMEOUT) -> Seen:
    """One script on a freshly reset server."""
    seen = Seen()
    options = Options(
        metadata=metadata,
        ignore_issues=True,
        reset=True,
        resources=str(case.base / "resources") if case.base else "",
        statement_timeout=STATEMENT_TIMEOUT,
        script_timeout=patience,
    )
    with Runner(dsn, options, seen, threading.Event()) as runner:
        runner.run(case)
    return seen
