"""How the runner compares with mo-tester: verdicts, recording, speed. On a private MariaDB, or one that is named.

    motester.py --cases DIR --verdicts FILE    the same scripts, one by one, against its verdicts
    motester.py --cases DIR --genrs            record twice; where both agree, a run must pass

DIR is the case tree; FILE holds mo-tester's answers, a JSON object a script: path, nometa, total, rows; crash, timeout.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.cases.discover import find_result
from workers.bvt.compare import VerdictKind
from workers.bvt.dsn import Dsn, parse_dsn
from workers.bvt.execute import Options
from workers.bvt.results import CommandResult, ScriptResult
from workers.bvt.runner import Case, Runner
from workers.servers import make_server

STATEMENT_TIMEOUT = 35.0
SCRIPT_TIMEOUT = 40.0
#: For scripts mo-tester hung in.
HOPELESS = 5.0


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
class Tally:
    """Commands compared and how many differ, of one way to run."""

    scripts: int = 0
    commands: int = 0
    differing: int = 0
    unanswered: int = 0

    def __str__(self) -> str:
        share = 100 * (1 - self.differing / self.commands) if self.commands else 0.0
        return (
            f"{self.scripts} scripts, {self.commands} commands, {self.differing} differ: {share:.3f}% the same; "
            f"{self.unanswered} scripts mo-tester did not finish and we did"
        )


@contextmanager
def alone(case: str, tree: Path) -> Iterator[Case]:
    """A script copied by itself, with its result file, as the reference runs had it."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for name in filter(None, (case, find_result(case, tree.parent))):
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(tree.parent / name, base / name)
        yield Case(base / case, case, base)


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


def verdicts(dsn: Dsn, tree: Path, file: Path, only: str) -> int:
    """Run every script of ``file`` both ways and print what differs."""
    tallies = {True: Tally(), False: Tally()}
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows:
        if only not in row["path"]:
            continue
        with alone(row["path"], tree) as case:
            patience = HOPELESS if row.get("timeout") else SCRIPT_TIMEOUT
            seen = run_alone(dsn, case, metadata=not row["nometa"], patience=patience)
        _compare(row, seen, tallies[row["nometa"]])
    for nometa, tally in tallies.items():
        print(f"{'without' if nometa else 'with'} metadata: {tally}")
    return 0


def _compare(row: dict[str, Any], seen: Seen, tally: Tally) -> None:
    if row.get("timeout") or row.get("crash"):
        tally.unanswered += 1
        return
    tally.scripts += 1
    tally.commands += row["total"]
    theirs, ours = set(row["rows"]), set(seen.rows)
    if theirs == ours and row["total"] == seen.total:
        return
    tally.differing += len(theirs ^ ours)
    way = "nometa" if row["nometa"] else "meta"
    print(f"{row['path']} {way}: only mo-tester fails {sorted(theirs - ours)}, only we fail {sorted(ours - theirs)}")
    for result in seen.results:
        if result.line in ours - theirs:
            print(f"    {result.line} {result.verdict.value} {result.reason[:200]}")


def genrs(dsn: Dsn, tree: Path, only: str) -> int:
    """Record every script twice; run those whose two recordings agree."""
    agreed = clean = passed = 0
    for script in sorted((*tree.rglob("*.sql"), *tree.rglob("*.test"))):
        name = script.relative_to(tree.parent).as_posix()
        if only not in name or any(
            word in script.read_text("utf-8", "replace") for word in ("sleep", "@system", "@wait", "user=")
        ):
            continue
        ok, unexpected = _recorded(dsn, name, tree)
        if not ok:
            continue
        agreed += 1
        clean += unexpected == 0
        with tempfile.TemporaryDirectory() as folder:
            base = Path(folder)
            _copy_recorded(dsn, name, tree, base)
            seen = run_alone(dsn, Case(base / name, name, base), metadata=True)
        passed += not seen.rows
        if seen.rows:
            print(f"{name}: recorded twice alike, yet lines {seen.rows[:20]} fail: {seen.results[0].reason[:200]}")
    print(f"{agreed} scripts record alike twice, {passed} of them pass in full; {clean} of them answer every command")
    return 0 if passed == agreed else 1


def _record(dsn: Dsn, case: Case, target: Path) -> Seen:
    seen = Seen()
    options = Options(ignore_issues=True, reset=True, statement_timeout=HOPELESS, script_timeout=SCRIPT_TIMEOUT)
    with Runner(dsn, options, seen, threading.Event()) as runner:
        runner.record(case, target)
    return seen


def _recorded(dsn: Dsn, name: str, tree: Path) -> tuple[bool, int]:
    """Whether two recordings agree, and how many commands had no answer."""
    with tempfile.TemporaryDirectory() as folder:
        targets = [Path(folder, "1.result"), Path(folder, "2.result")]
        seen = [_record(dsn, Case(tree.parent / name, name, tree.parent), target) for target in targets]
        return targets[0].read_bytes() == targets[1].read_bytes(), seen[0].abnormal


def _copy_recorded(dsn: Dsn, name: str, tree: Path, base: Path) -> None:
    script = base / name
    script.parent.mkdir(parents=True)
    shutil.copy(tree.parent / name, script)
    _record(dsn, Case(script, name, base), script.with_suffix(".result"))


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, metavar="DIR")
    parser.add_argument("--verdicts", type=Path, metavar="FILE")
    parser.add_argument("--genrs", action="store_true")
    parser.add_argument("--dsn", help="a server that may be wiped; default: a private MariaDB")
    parser.add_argument("--only", default="", metavar="TEXT", help="only paths that contain TEXT")
    args = parser.parse_args()
    server = None if args.dsn else make_server("mariadb")
    started = time.monotonic()
    try:
        dsn = parse_dsn(args.dsn or (server.start() if server else ""))
        if args.verdicts:
            return verdicts(dsn, args.cases.resolve(), args.verdicts, args.only)
        return genrs(dsn, args.cases.resolve(), args.only)
    finally:
        print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
        if server is not None:
            server.close()


if __name__ == "__main__":
    sys.exit(main())
