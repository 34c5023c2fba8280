"""What a selection may not look at, on a real clone, and what it must do without.

    python benchmarks/selection_honest.py --repo CLONE [--before REV] [--commits 3] [--apart 40] [--largest 200k]
        [--profile P] [--format text|json]

Takes some commits of the line that ends at REV (default HEAD), so many rows apart. In processes with different hash
seeds it compares

* the predictions of `selection.py` in the whole clone, and for each commit in a bare clone that holds only the past of
  that commit and a copy of it without its changes below ``test/``: ``differ`` names those that are not equal;
* of the first of them, a plan with a budget of 10% by a model of that clone, byte by byte: ``plans`` is how many there
  are, which must be 1.

Then it learns, plans and predicts in a bare clone that lacks all files larger than ``--largest``: ``lacking`` is how
many objects are gone, ``plan_by_model`` whether its plan still comes of the model, and ``same_categories`` the share
of the first ten categories that stays. Exit 1 when anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `python benchmarks/selection_honest.py` finds the packages uninstalled

from benchmarks.selection_clones import cut_clone, without_tests  # noqa: E402 - after the path is set
from benchmarks.selection_rows import PROFILE, rows_of  # noqa: E402
from orchestrator.diff.git import Git  # noqa: E402
from orchestrator.history.layout import Layout, layout_of  # noqa: E402
from orchestrator.settings import load_profile, settings_from  # noqa: E402

Rows = Sequence[dict[str, Any]]


def predict(repository: Path, rows: Rows, folder: Path, profile: str, seed: int) -> list[dict[str, Any]]:
    """What `selection.py` says of some rows in a process of its own."""
    meta, out = folder / f"meta-{seed}.jsonl", folder / f"out-{seed}.jsonl"
    meta.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["--repo", str(repository), "--meta", str(meta), "--out", str(out), "--profile", profile]
    _python(seed, "-m", "benchmarks.selection", *words)
    return [json.loads(line) for line in out.read_text().splitlines()]


def plan(found: Git, row: dict[str, Any], model: Path, profile: str, seed: int) -> bytes:
    """The plan of a row's commit under a budget, as `plan` prints it."""
    words = ["--repo", str(found.git_dir), "--base", row["parent"], "--head", row["sha"], "--profile", profile]
    words += ["--model", str(model), "--budget", "10%", "--format", "json"]
    return _python(seed, "-m", "orchestrator", "plan", *words)


def learn(found: Git, row: dict[str, Any], folder: Path, profile: str) -> Path:
    """A model of all that is before a row's commit."""
    model = folder / "model"
    words = ["--repo", str(found.git_dir), "--revision", row["parent"], "--profile", profile, "-o", str(model)]
    _python(0, "-m", "orchestrator", "learn", *words)
    return model


def _python(seed: int, *words: str) -> bytes:
    environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True
    ).stdout


def compared(repository: Path, rows: Rows, folder: Path, layout: Layout, profile: str) -> dict[str, Any]:
    """How many predictions and plans differ where they must not."""
    whole = {made["sha"]: made for made in predict(repository, rows, folder, profile, 1)}
    differ, plans = [], set()
    for number, row in enumerate(rows):
        found = cut_clone(repository, row["sha"], folder / f"cut-{number}.git")
        bare = row | {"sha": without_tests(found, row["sha"], layout.tests)}
        made = predict(found.git_dir, [bare], folder, profile, 2 + number)
        if made != [whole[row["sha"]] | {"sha": bare["sha"]}]:
            differ.append(row["sha"])
        if not number:
            model = learn(found, row, folder, profile)
            plans = {plan(found, row, model, profile, seed) for seed in (1, 2, 77)}
    predicted = sum(bool(made["cases"]) for made in whole.values())
    return {"commits": len(rows), "predicted": predicted, "differ": differ, "plans": len(plans)}


def truncated(repository: Path, row: dict[str, Any], folder: Path, largest: str, profile: str) -> dict[str, Any]:
    """What comes of learning, planning and predicting in a clone without large files."""
    whole = cut_clone(repository, row["sha"], folder / "whole.git")
    found = cut_clone(repository, row["sha"], folder / "lacking.git", largest)
    gone = found.run("rev-list", "--objects", "--missing=print", row["sha"]).stdout.count(b"\n?")
    before, after = (predict(one.git_dir, [row], folder, profile, 99)[0] for one in (whole, found))
    made = json.loads(plan(found, row, learn(found, row, folder, profile), profile, 1))
    top = set(before["categories"][:10])
    return {
        "largest": largest,
        "lacking": gone,
        "plan_by_model": any(note.startswith("Budget 10%") for note in made["notes"]),
        "same_categories": len(top & set(after["categories"][:10])) / max(1, len(top)),
    }


def main() -> int:
    """Compare and print; 1 when anything differs, or a clone without large files cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", required=True, type=Path)
    parser.add_argument("--before", default="HEAD", metavar="REV", help="the last commit that may be taken")
    parser.add_argument("--commits", type=int, default=3)
    parser.add_argument("--apart", type=int, default=40)
    parser.add_argument("--largest", default="200k")
    parser.add_argument("--profile", default=PROFILE)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    args = parser.parse_args()
    layout = layout_of(load_profile(args.profile, settings_from({})))
    rows = rows_of(args.repo, args.before, layout)[:: -args.apart][: args.commits][::-1]
    with tempfile.TemporaryDirectory(prefix="selection-honest-") as folder:
        figures = compared(args.repo, rows, Path(folder), layout, args.profile)
        figures |= truncated(args.repo, rows[-1], Path(folder), args.largest, args.profile)
    print(json.dumps(figures) if args.format == "json" else "\n".join(f"{k:<16} {v}" for k, v in figures.items()))
    honest = not figures["differ"] and figures["plans"] == 1 and figures["predicted"] == len(rows)
    return int(not (honest and figures["plan_by_model"]))


if __name__ == "__main__":
    sys.exit(main())
