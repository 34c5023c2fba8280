"""Of this project's own commits, each with a line of what it changed mutated: are the tests that fail chosen?

    python benchmarks/noticed.py [--commit ID] [--budget 60s] [--format text|json]

For each commit the unit tests and those of the room it belongs to run with the mutant, in a clone; the plan is that of
the commit. Minutes a commit. Exit 1 when a test file that fails is not chosen, 2 when this clone lacks a commit.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __package__ in (None, ""):  # started as a file
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.own.change import PROFILE, ROOT, git
from benchmarks.own.run import files_of


@dataclass(frozen=True, slots=True)
class Mutant:
    """A commit, a line of a file that it changed, what that line becomes, and tests beside the unit tests."""

    commit: str
    file: str
    old: str
    new: str
    more: str


MUTANTS = (
    Mutant(
        "37b428e",
        "orchestrator/notify/github/desk.py",
        "if not self._look(hook.pull).open:",
        "if self._look(hook.pull).open:",
        "tests/acceptance/test_github.py",
    ),
    Mutant(
        "bed7216",
        "orchestrator/ledger/orders.py",
        "== [claim.fingerprint, claim.run]",
        "!= [claim.fingerprint, claim.run]",
        "tests/integration/test_api.py",
    ),
    Mutant(
        "97b0104",
        "orchestrator/ledger/lua/finish.lua",
        "\nreturn recorded()",
        "\nreturn 'ok'",
        "tests/acceptance/test_control.py",
    ),
    Mutant(
        "6af46f4",
        "workers/build.py",
        'return folder / f"build-{digest}.tar"',
        'return folder / "build.tar"',
        "tests/integration/test_ut_suite.py",
    ),
    Mutant(
        "cdb30a2",
        "orchestrator/history/layout.py",
        "parts = parts[:depth]",
        "parts = parts[: depth + 1]",
        "tests/acceptance/test_plan_command.py",
    ),
)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commit", help="only this one")
    parser.add_argument("--budget", help="with a budget the misses are told, and are no failure")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    wanted = [one for one in MUTANTS if args.commit in (None, one.commit)]
    lacking = [one.commit for one in wanted if git(ROOT, "rev-parse", "-q", "--verify", f"{one.commit}~1") is None]
    if lacking:
        print(f"this clone lacks {', '.join(lacking)} or what they changed", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="mo-noticed-") as folder:
        rows = [measure(Path(folder), one, args.budget) for one in wanted]
    print(json.dumps(rows) if args.format == "json" else "\n".join(map(json.dumps, rows)))
    return 1 if any(row["missed"] for row in rows) and not args.budget else 0


def measure(folder: Path, one: Mutant, budget: str | None) -> dict[str, Any]:
    """Which test files fail, and which of them the plan leaves out."""
    words = ["--repo", str(ROOT), "--base", f"{one.commit}~1", "--head", one.commit, "--profile", PROFILE]
    limit = ["--budget", budget] if budget else []
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "plan", *words, *limit, "--format", "json"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    plan = json.loads(done.stdout)
    chosen = {file for task in plan["tasks"] if task["package"] for file in files_of(task)}
    failed = _failing(folder / one.commit, one)
    return {
        "commit": one.commit,
        "chosen": len(chosen),
        "seconds": plan["cost"]["runner_seconds"],
        "failed": sorted(failed),
        "missed": sorted(failed - chosen),
    }


def _failing(clone: Path, one: Mutant) -> set[str]:
    subprocess.run(["git", "clone", "-q", "--shared", str(ROOT), str(clone)], check=True, capture_output=True)
    git(clone, "checkout", "-q", one.commit)
    source = clone / one.file
    text = source.read_text()
    if text.count(one.old) != 1:
        raise SystemExit(f"{one.commit}: {one.file} has {one.old!r} {text.count(one.old)} times")
    source.write_text(text.replace(one.old, one.new))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=no", "-rf", "-p", "no:cacheprovider", "tests/unit", one.more],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": str(clone)},
        capture_output=True,
        text=True,
        check=False,
    )
    return set(re.findall(r"^FAILED ([^:]+)::", done.stdout, re.MULTILINE))


if __name__ == "__main__":
    sys.exit(main())
