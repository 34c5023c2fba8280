"""This project's last change, planned and run by itself: its verdict against that of pytest on the same tests.

    python benchmarks/itself.py [--small | --base REV | --everything] [--budget 60s] [--deadline 120] [--record FILE]

The change is the one from HEAD's first parent; commits that touch only documents count with the last change before
them. ``--everything`` (twice as long as all tests) is for what depends on where a test lies and on who runs beside it.
With ``--record`` pytest is not run beside it: the verdicts go to a file with which ``pytest -p tests.agreement``
compares its own. ``--small`` makes a change in a clone and runs two quick tasks of its plan. Exit 1 when the verdicts
differ, 2 when there is no history to plan from, 3 when the run met infrastructure.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

if __package__ in (None, ""):  # started as a file
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.own.alone import pytest_alone
from benchmarks.own.change import ROOT, NoHistoryError, first_change, git, last_change
from benchmarks.own.run import OwnRun, run_plan

#: What ``--small`` changes, and what of its plan it runs.
_FILE, _TASKS = "orchestrator/diff/paths.py", ("ut:tests/unit/diff", "sca:ruff")


def main() -> int:
    """Measure and print."""
    args = _arguments()
    try:
        with tempfile.TemporaryDirectory(prefix="mo-own-") as folder:
            figures, code = measure(Path(folder), args)
    except NoHistoryError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(figures) if args.format == "json" else _text(figures))
    return code


def measure(folder: Path, args: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Plan, run, compare: the figures and the exit code."""
    repository, base = (_touched(folder), "HEAD~1") if args.small else (ROOT, args.base or _start(args.everything))
    done = run_plan(folder, repository, base, budget=args.budget, deadline=args.deadline, only=_only(args))
    figures = done.figures()
    if done.state == "error":
        return {**figures, "ok": False}, 3
    if args.record is not None:
        args.record.write_text(json.dumps(done.document()))
        return {**figures, "ok": True}, 0
    alone = pytest_alone(folder, repository, done.tests)
    differ = sorted(name for name, there in done.cases.items() if _differs(there, alone.cases.get(name, "skipped")))
    same = not differ and ("failed" in done.unit_states) == alone.failed
    figures |= {"pytest_seconds": alone.seconds, "pytest_exit": alone.code, "differ": differ}
    return {**figures, "ok": same and _complete(done)}, 0 if same and _complete(done) else 1


def _start(everything: bool) -> str:
    return first_change() if everything else last_change()


def _differs(there: str, here: str) -> bool:
    """What one of both skips says nothing, as in ``tests.agreement``."""
    return there != here and "skipped" not in (there, here)


def _only(args: argparse.Namespace) -> tuple[str, ...]:
    return _TASKS if args.small else ()


def _complete(done: OwnRun) -> bool:
    """Something was compared, unless there is nothing to test in the change."""
    return bool(done.cases) or not done.tasks


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--small", action="store_true", help="a change made for it, two tasks")
    change.add_argument("--base", metavar="REV", help="the change since REV")
    change.add_argument("--everything", action="store_true", help="the change since the first commit: every test")
    parser.add_argument("--budget", metavar="B", help="what the planner may choose, e.g. 60s of runner time")
    parser.add_argument("--deadline", type=float, metavar="SECONDS", help="cancel what runs then; the rest is compared")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write the verdicts and run no pytest beside it")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    return parser.parse_args()


def _text(figures: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in figures.items())


def _touched(folder: Path) -> Path:
    """A clone with one more commit, which adds a comment."""
    clone = folder / "clone"
    if git(ROOT, "rev-parse", "-q", "--verify", "HEAD") is None:
        raise NoHistoryError("this is no clone of the project's repository")
    subprocess.run(["git", "clone", "-q", "--shared", str(ROOT), str(clone)], check=True, capture_output=True)
    with (clone / _FILE).open("a") as file:
        file.write("# touched\n")
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    git(clone, *who, "commit", "-q", "-a", "-m", "touch")
    return clone


if __name__ == "__main__":
    sys.exit(main())
