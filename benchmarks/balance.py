"""How level shards are, and how near to the lower bound a plan is done, on the statements of a real case tree.

    MO_CASES=… python benchmarks/balance.py [--seeds 5] [--format text|json]

Every script of the tree is a task of its own that takes 0.026 s a statement. Three questions:

* shards of the default length: the longest over the mean, as estimated (``level``) and when every script takes up to
  20% more or less than estimated (``level_noise``, the worst of the seeds);
* one shard a worker, 2 to 64 workers: makespan over the lower bound: the longest script with its set-up, or all
  the work and one set-up a worker, evenly spread (``makespan``, the worst of them);
* peers in the same run: scripts in file order, cut into equal numbers of scripts (``file_order``).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

if str(Path(__file__).resolve().parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from orchestrator.domain.plan import Priority, Suite, TestTask
from orchestrator.domain.profile import Bvt, Dispatch, Profile
from orchestrator.planner.cost import critical_path
from orchestrator.planner.shard import Sharded, shard

SECONDS_PER_STATEMENT, SETUP = 0.026, 60.0
WORKERS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


def tasks_of(cases: Path) -> list[TestTask]:
    """One task a script, in path order."""
    scripts = sorted(path for path in cases.rglob("*") if path.suffix in (".sql", ".test") and path.is_file())
    counts = [len(re.findall(rb";[ \t]*$", path.read_bytes(), re.MULTILINE)) for path in scripts]
    names = [str(path.relative_to(cases)) for path in scripts]
    return [
        TestTask(f"bvt:{name}", Suite.BVT, Priority.LOW, (), category=name, est_duration=count * SECONDS_PER_STATEMENT)
        for name, count in zip(names, counts, strict=True)
    ]


def cut(tasks: Sequence[TestTask], **dispatch: float) -> Sharded:
    """The planner's own cut."""
    profile = Profile(name="bench", bvt=Bvt(setup_seconds=SETUP), dispatch=Dispatch(**dispatch))  # type: ignore[arg-type]
    return shard(tasks, profile)


def lengths(sharded: Sharded, seconds: dict[str, float]) -> list[float]:
    """Seconds of every shard when tasks take ``seconds``."""
    return [SETUP + sum(seconds[task] for task in made.tasks) for made in sharded.shards]


def evenness(values: Sequence[float]) -> float:
    """The longest over the mean."""
    return max(values) / mean(values)


def in_file_order(tasks: Sequence[TestTask], count: int) -> list[float]:
    """What cutting the list of scripts into equal numbers gives."""
    parts = [tasks[len(tasks) * n // count : len(tasks) * (n + 1) // count] for n in range(count)]
    return [SETUP + sum(task.est_duration for task in part) for part in parts]


def measure(tasks: Sequence[TestTask], seeds: int) -> dict[str, object]:
    """All figures."""
    estimated = {task.id: task.est_duration for task in tasks}
    usual = cut(tasks)
    noisy = []
    for seed in range(seeds):
        dice = random.Random(seed)
        real = {task: seconds * dice.uniform(0.8, 1.2) for task, seconds in estimated.items()}
        noisy.append(evenness(lengths(usual, real)))
    work, longest = sum(estimated.values()), max(estimated.values())
    spans = {}
    for workers in WORKERS:
        made = cut(tasks, shard_seconds=1e9, workers=workers, overhead=1e9)
        bound = max(longest + SETUP, work / workers + SETUP)
        spans[workers] = round(critical_path(lengths(made, estimated), workers) / bound, 4)
    return {
        "scripts": len(tasks),
        "seconds": round(work, 1),
        "shards": len(usual.shards),
        "level": round(evenness(lengths(usual, estimated)), 4),
        "level_noise": round(max(noisy), 4),
        "makespan": max(spans.values()),
        "makespan_by_workers": spans,
        "file_order": round(evenness(in_file_order(tasks, len(usual.shards))), 4),
        "ok": evenness(lengths(usual, estimated)) <= 1.02 and max(noisy) <= 1.05 and max(spans.values()) <= 1.03,
    }


def main() -> int:
    """Print the figures; exit 1 when they fall short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    cases = os.environ.get("MO_CASES")
    if not cases or not Path(cases).is_dir():
        print("MO_CASES names no case tree", file=sys.stderr)
        return 2
    figures = measure(tasks_of(Path(cases)), args.seeds)
    print(json.dumps(figures) if args.format == "json" else "\n".join(f"{k}: {v}" for k, v in figures.items()))
    return 0 if figures["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
