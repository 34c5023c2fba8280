"""What a selection may not look at, on a real clone, and what it must do without.

    python benchmarks/selection_honest.py --repo CLONE [--until DATE] [--commits 3] [--apart 40] [--largest 200k]
        [--parts predictions,plans,lacking] [--profile P] [--format text|json]

Takes some commits of the line of HEAD, so many rows apart, the last of them not after DATE.

* ``predictions``: what `selection.py` says of each in the whole clone, and in a bare clone that holds only the past of
  that commit and a copy of it without its changes below ``test/``, in processes with different hash seeds. ``differ``
  names those that are not equal.
* ``plans``: plans of the last one under a budget of 10%, by a model of its past, in processes with different hash
  seeds. ``plans`` is how many different ones come of it, byte by byte.
* ``lacking``: learning, planning and predicting of the last one in a bare clone that lacks all files larger than
  ``--largest``. ``lacking`` is how many objects are gone, ``plan_by_model`` whether the plan still comes of the model,
  and ``same_categories`` the share of the first ten categories that stays.

Exit 1 when anything differs, or nothing is predicted or planned by a model.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `python benchmarks/selection_honest.py` finds the packages uninstalled

from benchmarks.selection_clones import cut_clone, without_tests  # noqa: E402 - after the path is set
from benchmarks.selection_rows import PROFILE, end_of_day, rows_of  # noqa: E402
from orchestrator.diff.git import Git, find_git  # noqa: E402
from orchestrator.history.layout import Layout, layout_of  # noqa: E402
from orchestrator.settings import load_profile, settings_from  # noqa: E402

Rows = Sequence[dict[str, Any]]
PARTS = ("predictions", "plans", "lacking")


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


@dataclass
class Bench:
    """The clone, the rows, and where to put what is made of them."""

    repository: Path
    rows: Rows
    folder: Path
    profile: str
    layout: Layout

    @cached_property
    def whole(self) -> dict[str, dict[str, Any]]:
        """Predictions in the whole clone."""
        return {made["sha"]: made for made in predict(self.repository, self.rows, self.folder, self.profile, 1)}

    def predictions(self) -> dict[str, Any]:
        """Which predictions differ where they must not."""
        differ = []
        for number, row in enumerate(self.rows):
            found = cut_clone(self.repository, row["sha"], self.folder / f"cut-{number}.git")
            bare = row | {"sha": without_tests(found, row["sha"], self.layout.tests)}
            made = predict(found.git_dir, [bare], self.folder, self.profile, 2 + number)
            if made != [self.whole[row["sha"]] | {"sha": bare["sha"]}]:
                differ.append(row["sha"])
        empty = [sha for sha, made in self.whole.items() if not made["cases"]]
        figures = {"commits": len(self.rows), "differ": differ, "empty": empty}
        return figures | {"predictions_ok": not differ and not empty}

    def plans(self) -> dict[str, Any]:
        """How many plans come of the same input."""
        row, found = self.rows[-1], find_git(self.repository)
        model = learn(found, row, self.folder, self.profile)
        made = {plan(found, row, model, self.profile, seed) for seed in (1, 2, 77)}
        return {"plans": len(made), "plans_ok": len(made) == 1 and all(map(_by_model, made))}

    def lacking(self, largest: str) -> dict[str, Any]:
        """What comes of learning, planning and predicting without large files."""
        row = self.rows[-1]
        found = cut_clone(self.repository, row["sha"], self.folder / "lacking.git", largest)
        gone = found.run("rev-list", "--objects", "--missing=print", row["sha"]).stdout.count(b"\n?")
        after = predict(found.git_dir, [row], self.folder, self.profile, 99)[0]["categories"][:10]
        made = plan(found, row, learn(found, row, self.folder, self.profile), self.profile, 1)
        top = set(self.whole[row["sha"]]["categories"][:10])
        share = len(top & set(after)) / max(1, len(top))
        figures = {"largest": largest, "lacking": gone, "plan_by_model": _by_model(made), "same_categories": share}
        return figures | {"lacking_ok": bool(gone and after) and _by_model(made)}


def _by_model(made: bytes) -> bool:
    """Whether a plan kept its budget, which only one by a model does."""
    return any(note.startswith("Budget 10%") for note in json.loads(made)["notes"])


def main() -> int:
    """Compare and print; 1 when anything differs, or a clone without large files cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", required=True, type=Path)
    parser.add_argument("--until", type=end_of_day, default=float("inf"), metavar="DATE", help="the last day")
    parser.add_argument("--commits", type=int, default=3)
    parser.add_argument("--apart", type=int, default=40)
    parser.add_argument("--largest", default="200k")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--profile", default=PROFILE)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    args = parser.parse_args()
    if not set(args.parts.split(",")) <= set(PARTS):
        parser.error(f"--parts {args.parts}: there are {', '.join(PARTS)}")
    layout = layout_of(load_profile(args.profile, settings_from({})))
    rows = rows_of(args.repo, "HEAD", layout, args.until)[:: -args.apart][: args.commits][::-1]
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="selection-honest-") as folder:
        bench = Bench(args.repo, rows, Path(folder), args.profile, layout)
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "predictions": bench.predictions,
            "plans": bench.plans,
            "lacking": lambda: bench.lacking(args.largest),
        }
        for name in args.parts.split(","):
            figures |= parts[name]()
    print(json.dumps(figures) if args.format == "json" else "\n".join(f"{k:<16} {v}" for k, v in figures.items()))
    return int(not all(value for name, value in figures.items() if name.endswith("_ok")))


if __name__ == "__main__":
    sys.exit(main())
