"""Promises of test selection by history: its cost on the beginning of a real line, and what it may not look at."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from benchmarks.promised.measure import INPUTS, Promise, environment, run_python

#: The beginning of the line that fits into a minute and has enough labels to learn from; the whole is
#: `benchmarks/full.py`.
_COMMITS, _UNTIL = "3600", "2022-12-20"


def learned(name: str, limit: float) -> tuple[object, bool]:
    """One figure of `benchmarks/learned.py` on a short history, which must be long enough for a model."""
    figures = INPUTS.benchmark("benchmarks.learned", "--repo", environment("MO_REPO"), "--commits", _COMMITS)
    return figures[name], figures[name] <= limit and figures["examples"] > 0


def honest(part: str, *figures: str) -> tuple[object, bool]:
    """One part of `benchmarks/selection_honest.py` on a short history."""
    words = ["--repo", environment("MO_REPO"), "--until", _UNTIL, "--commits", "1", "--parts", part]
    made = INPUTS.benchmark("benchmarks.selection_honest", *words)
    return {name: made[name] for name in figures}, made[f"{part}_ok"]


def ablation() -> tuple[object, bool]:
    """The figures of files of an ablation on three rows of a short history: all strategies, and each alone."""
    with tempfile.TemporaryDirectory() as folder:
        meta, out = Path(folder, "meta.jsonl"), Path(folder, "out.jsonl")
        words = ["--repo", environment("MO_REPO")]
        rows = run_python("-m", "benchmarks.selection_rows", *words, "--until", _UNTIL, "--last", "30")
        meta.write_text(rows.stdout)
        done = run_python(
            "-m", "benchmarks.selection", *words, "--meta", str(meta), "--out", str(out), "--ablation"
        )  # fmt: skip
    if done.returncode:
        return done.stderr.strip().splitlines()[-1:], False
    figures = json.loads(done.stdout.splitlines()[-1])["by_clone"]
    recall = {name: row["files_at_10%"].get("macro") for name, row in figures.items() if not name.startswith("without")}
    return recall, len(figures) == 12 and all(value is not None for value in recall.values())


PROMISES = [
    Promise("learn-seconds", f"<= 120 for {_COMMITS} commits", lambda: learned("learn_seconds", 120)),
    Promise("learn-update", "<= 10 s for 100 commits", lambda: learned("update_seconds", 10)),
    Promise("learn-model", "<= 20 MB", lambda: learned("model_mb", 20)),
    Promise("learn-plan", "<= 300 ms", lambda: learned("plan_ms", 300)),
    Promise(
        "selection-failures",
        "0 fail",
        lambda: INPUTS.tests("tests/unit/cli/test_learn.py", "-k", "failed_on_such_a_change"),
    ),
    Promise("selection-surface", "0 fail", lambda: INPUTS.tests("tests/unit/history/test_surface.py")),
    Promise("selection-honest", "0 fail", lambda: INPUTS.tests("tests/unit/history/test_benchmark.py")),
    Promise("selection-clones", "none differ", lambda: honest("predictions", "commits", "differ")),
    Promise("selection-plans", "1 plan", lambda: honest("plans", "plans")),
    Promise("selection-lacking", "a plan by the model", lambda: honest("lacking", "lacking", "same_categories")),
    Promise("selection-ablation", "a figure a variant", ablation),
    Promise(
        "selection-same",
        "0 fail",
        lambda: INPUTS.tests("tests/unit/planner/test_learned.py", "-k", "hash_seed or may_not_be_asked or widens"),
    ),
]
