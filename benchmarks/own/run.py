"""Plan a change with this project's own profile and run the plan on its own local stack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.own.change import PROFILE, ROOT
from orchestrator.domain.run import CaseStatus
from orchestrator.store import Store

#: More than this project has tests.
_CASES = 100_000
#: Seconds in which a cancelled run ends.
_GRACE = 60.0


@dataclass(frozen=True, slots=True)
class OwnRun:
    """What was planned, and what came of it."""

    base: str
    plan: Mapping[str, Any]
    summary: Mapping[str, Any]
    #: ``tests/x/test_y.py::test_z`` → passed, failed or skipped, by the last try.
    cases: Mapping[str, str]
    seconds: float

    @property
    def tasks(self) -> Mapping[str, str]:
        """Task → state."""
        return {task["task"]: task["state"] for task in self.summary.get("tasks", ())}

    @property
    def state(self) -> str:
        """Of the run; ``passed`` when the plan was empty."""
        return str(self.summary.get("state", "passed"))

    @property
    def unit_states(self) -> set[str]:
        """States of the tasks that are tests."""
        return {state for task, state in self.tasks.items() if task.startswith("ut:")}

    @property
    def tests(self) -> list[str]:
        """The test files and directories that ran to their end."""
        ended = {task for task, state in self.tasks.items() if state in ("passed", "failed")}
        running = (task for task in self.plan["tasks"] if task["package"] and task["id"] in ended)
        return [path for task in running for path in files_of(task)]

    def figures(self) -> dict[str, Any]:
        """For a reader."""
        return {
            "base": self.base,
            "head": self.plan["diff_summary"]["head_commit"],
            "planned": len(self.plan["tasks"]),
            "left_out": len(self.plan["omitted"]),
            "notes": self.plan["notes"],
            "ran": dict(self.tasks),
            "cases": len(self.cases),
            "state": self.state,
            "seconds": self.seconds,
        }

    def document(self) -> dict[str, Any]:
        """For ``tests.agreement``: verdicts by test, and of tasks that failed without a test of theirs doing so."""
        bad = [task for task in self.summary.get("tasks", ()) if task["state"] == "failed"]
        tests = {name.partition("::")[0] for name, status in self.cases.items() if status == "failed"}
        mute = {t["task"]: t["message"] for t in bad if not any(_holds(t["task"], test) for test in tests)}
        return {"run": self.summary.get("run"), **self.figures(), "cases": dict(self.cases), "mute": mute}


def files_of(task: Mapping[str, Any]) -> list[str]:
    """The files and directories that a task of tests gives to pytest, of its JSON."""
    folder = task["package"].removesuffix("/...")
    return [f"{folder}/{file}" for file in task["files"]] or [folder]


def _holds(task: str, test: str) -> bool:
    place = task.removeprefix("ut:").removesuffix("/...")
    return task.startswith("ut:") and (test == place or test.startswith(f"{place}/"))


def run_plan(  # noqa: PLR0913 - what there is to choose
    folder: Path, repository: Path, base: str, *, budget: str | None, deadline: float | None, only: Sequence[str]
) -> OwnRun:
    """Plan ``base..HEAD``, and run the plan on embedded servers and real workers.

    What has not ended after ``deadline`` seconds is cancelled; a run that had not begun by then is in state ``error``.
    """
    environ = {
        **os.environ,
        "MO_TESTPLAN_STATE": str(folder / "state"),
        "MO_TESTPLAN_CONFIG_DIR": str(ROOT / "config"),
        "PATH": f"{Path(sys.executable).parent}:/usr/sbin:{os.environ.get('PATH', os.defpath)}",
    }
    program = [sys.executable, "-m", "orchestrator"]
    file = folder / "plan.json"
    words = ["--repo", str(repository), "--profile", PROFILE]
    limits = ["--budget", budget] if budget else []
    planned = [*program, "plan", *words, "--base", base, *limits, "-o", str(file)]
    if subprocess.run(planned, cwd=ROOT, env=environ, check=False).returncode:
        raise SystemExit(1)  # it said why; a change that cannot be planned is no lack of one
    plan = json.loads(file.read_text())
    chosen = [word for task in only for word in ("--task", task)]
    began = time.monotonic()
    local = ["--local", "--workers", "2", "--no-sandbox", "--format", "json"]
    said = _ended([*program, "run", str(file), *words, *local, *chosen], environ, deadline)
    summary = json.loads(said or "{}") or {"state": "error"}
    store = f"sqlite:///{folder / 'state' / 'history.sqlite'}"
    cases = verdicts(Store(store), summary) if summary.get("run") else {}
    return OwnRun(base, plan, summary, cases, round(time.monotonic() - began, 1))


def _ended(words: Sequence[str], environ: Mapping[str, str], deadline: float | None) -> str:
    with subprocess.Popen(words, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            return process.communicate(timeout=deadline)[0]
        except subprocess.TimeoutExpired:
            print(f"{deadline:g} s are over: what still runs is cancelled", file=sys.stderr)
            process.terminate()  # as Ctrl-C, which a shell's background job would not hear
        try:
            return process.communicate(timeout=_GRACE)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return ""


def verdicts(store: Store, summary: Mapping[str, Any]) -> dict[str, str]:
    """Test → passed, failed or skipped by its last try; a task that was cut short has no failures."""
    ended = {task["task"] for task in summary["tasks"] if task["state"] in ("passed", "failed")}
    found: dict[str, tuple[int, str]] = {}
    for stored in store.cases(str(summary["run"]), limit=_CASES):
        status = "failed" if stored.case.status is CaseStatus.ERROR else stored.case.status.value
        before = found.get(stored.case.name, (0, ""))
        worst = "failed" if (stored.attempt, "failed") == before else status  # a test and its teardown are two cases
        believed = stored.task in ended or worst != "failed"
        if stored.task.startswith("ut:") and stored.attempt >= before[0] and believed:
            found[stored.case.name] = (stored.attempt, worst)
    return {name: status for name, (_, status) in found.items()}
