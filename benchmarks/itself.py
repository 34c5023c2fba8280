"""This project, planned and run by itself: its verdict against that of pytest alone on the same tests.

    python benchmarks/itself.py [--small] [--format text|json]

The change is the last commit; with ``--small`` one made for it in a clone, of which two quick tasks run. Needs the git
history. Exit 1 when the verdicts differ.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: What ``--small`` changes, and what of its plan it runs.
_FILE, _TASKS = "orchestrator/diff/paths.py", ("ut:tests/unit/diff/...", "sca:ruff")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    if subprocess.run(
        ["git", "rev-parse", "-q", "--verify", "HEAD~1"], cwd=ROOT, capture_output=True, check=False
    ).returncode:
        print("this is no clone with a history", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), small=args.small)
    print(json.dumps(figures) if args.format == "json" else figures)
    return 0 if figures["ok"] else 1


def measure(folder: Path, *, small: bool) -> dict[str, Any]:
    """Both verdicts, and what each took."""
    clone = folder / "clone"
    _git(ROOT, "clone", "-q", "--shared", str(ROOT), str(clone))
    if small:
        with (clone / _FILE).open("a") as file:
            file.write("# touched\n")
        _git(clone, "commit", "-q", "-a", "-m", "touch")
    words = ["--repo", str(clone), "--base", "HEAD~1", "--head", "HEAD", "--profile", "mo-testplan"]
    plan = json.loads(_own(folder, "plan", *words, "--format", "json").stdout)
    tasks = [task for task in plan["tasks"] if not small or task["id"] in _TASKS]
    chosen = [word for task in tasks for word in ("--task", task["id"])] if small else []
    began = time.monotonic()
    done = _own(folder, "run", *words, "--local", "--no-sandbox", "--format", "json", *chosen)
    middle = time.monotonic()
    paths = [task["package"].removesuffix("/...") for task in tasks if task["package"]]
    alone = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths],
        cwd=clone,
        capture_output=True,
        check=False,
    )
    states = {task["task"]: task["state"] for task in json.loads(done.stdout or '{"tasks": []}')["tasks"]}
    tests = {state for task, state in states.items() if task.startswith("ut:")}
    return {
        "planned": len(plan["tasks"]),
        "ran": states,
        "exit": done.returncode,
        "pytest_exit": alone.returncode,
        "seconds": round(middle - began, 1),
        "pytest_seconds": round(time.monotonic() - middle, 1),
        "ok": len(states) == len(tasks) > 0 and ("failed" in tests) == (alone.returncode == 1),
    }


def _own(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {
        **os.environ,
        "MO_TESTPLAN_STATE": str(folder / "state"),
        "MO_TESTPLAN_CONFIG_DIR": str(ROOT / "config"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
    }
    program = [sys.executable, "-m", "orchestrator"]
    return subprocess.run([*program, *words], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def _git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
