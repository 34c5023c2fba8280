"""How level shards are, and how near to the lower bound a plan is done, on the scripts of a real case tree.

    MO_CASES=… python benchmarks/balance.py [--seeds 5] [--durations FILE] [--format text|json]

A script takes the seconds that FILE has for it (``mo-testplan stats --durations FILE`` writes one), else 0.026 s a
statement. Four questions:

* every script a task of its own, shards of the default length: the longest over the mean, as estimated (``level``) and
  when every script takes up to 20% more or less than estimated (``level_noise``, the worst of the seeds);
* the same with the tasks of a real plan, one a category, and MatrixOne's own profile: whole (``plan_whole``), and with
  long ones split at their scripts by the planner (``plan``, ``plan_noise``; ``plan_parts`` counts the parts);
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
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean

if str(Path(__file__).resolve().parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from orchestrator.domain.plan import Priority, Suite, TestTask
from orchestrator.domain.profile import Bvt, Dispatch, Profile
from orchestrator.planner.cost import critical_path
from orchestrator.planner.evidence import Context
from orchestrator.planner.measured import Measured, read_durations
from orchestrator.planner.shard import Sharded, shard
from orchestrator.planner.split import groups_in, nothing
from orchestrator.settings import load_profile, settings_from

SECONDS_PER_STATEMENT, SETUP = 0.026, 60.0
WORKERS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


def seconds_of(cases: Path, measured: Measured) -> dict[str, float]:
    """Script, relative to the case tree, in path order, → its seconds."""
    scripts = sorted(path for path in cases.rglob("*") if path.suffix in (".sql", ".test") and path.is_file())
    found = {}
    for path in scripts:
        name = str(path.relative_to(cases))
        known = measured.seconds.get(f"test/distributed/cases/{name}")
        count = len(re.findall(rb";[ \t]*$", path.read_bytes(), re.MULTILINE))
        found[name] = count * SECONDS_PER_STATEMENT if known is None else known
    return found


class _Scripts:
    """The :class:`~orchestrator.planner.evidence.Tree` that has these scripts below ``root`` and nothing else."""

    def __init__(self, root: str, scripts: Iterable[str]) -> None:
        self._paths = [f"{root}/{name}" for name in scripts]

    def files(self, path: str) -> tuple[str, ...]:
        return tuple(sorted(name.removeprefix(f"{path}/") for name in self._paths if name.startswith(f"{path}/")))

    def directories(self, path: str) -> frozenset[str]:
        return frozenset(name.partition("/")[0] for name in self.files(path) if "/" in name)

    def has_directory(self, path: str) -> bool:
        return bool(self.files(path))

    def count(self, expression: str, path: str, glob: str) -> Mapping[str, int]:
        return {}

    def texts(self, suffix: str) -> Mapping[str, str]:
        return {}


def task(category: str, seconds: float) -> TestTask:
    """The task of a category, or of a script taken for one."""
    return TestTask(f"bvt:{category}", Suite.BVT, Priority.LOW, (), category=category, est_duration=seconds)


def plan_cut(scripts: Mapping[str, float], *, split: bool) -> tuple[Sharded, dict[str, tuple[str, ...]]]:
    """The cut of a plan of all categories, and the scripts of each of its tasks."""
    profile = load_profile("matrixone", settings_from())
    inside: dict[str, list[str]] = {}
    for name in scripts:
        category, _, file = name.partition("/")
        inside.setdefault(category, []).append(file)
    tasks = [task(name, sum(scripts[f"{name}/{file}"] for file in files)) for name, files in inside.items()]
    root = profile.bvt.cases.rstrip("/")
    measured = Measured({f"{root}/{name}": seconds for name, seconds in scripts.items()})
    context = Context(profile, frozenset(inside), _Scripts(root, scripts), measured=measured)
    made = shard(tasks, profile, groups=groups_in(context) if split else nothing)
    held = {t.id: tuple(f"{t.category}/{f}" for f in t.files or inside[t.category or ""]) for t in made.tasks}
    return made, held


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


def noise(scripts: Mapping[str, float], seed: int) -> dict[str, float]:
    """What scripts take on a day like that."""
    dice = random.Random(seed)
    return {name: seconds * dice.uniform(0.8, 1.2) for name, seconds in scripts.items()}


def of_plan(scripts: Mapping[str, float], seeds: int) -> dict[str, float]:
    """The figures of a plan of categories."""

    def evenness_of(made: Sharded, held: Mapping[str, tuple[str, ...]], real: Mapping[str, float]) -> float:
        return evenness(lengths(made, {one: sum(real[name] for name in names) for one, names in held.items()}))

    split = plan_cut(scripts, split=True)
    return {
        "plan_whole": round(evenness_of(*plan_cut(scripts, split=False), scripts), 4),
        "plan_shards": len(split[0].shards),
        "plan_parts": sum(one.is_part for one in split[0].tasks),
        "plan": round(evenness_of(*split, scripts), 4),
        "plan_noise": round(max(evenness_of(*split, noise(scripts, seed)) for seed in range(seeds)), 4),
    }


def measure(scripts: Mapping[str, float], seeds: int) -> dict[str, object]:
    """All figures."""
    tasks = [task(name, seconds) for name, seconds in scripts.items()]
    estimated = {task.id: task.est_duration for task in tasks}
    usual = cut(tasks)
    noisy = [
        evenness(lengths(usual, {f"bvt:{name}": seconds for name, seconds in noise(scripts, seed).items()}))
        for seed in range(seeds)
    ]
    plan = of_plan(scripts, seeds)
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
        **plan,
        "file_order": round(evenness(in_file_order(tasks, len(usual.shards))), 4),
        "ok": max(evenness(lengths(usual, estimated)), plan["plan"]) <= 1.02
        and max(*noisy, plan["plan_noise"]) <= 1.05
        and max(spans.values()) <= 1.03,
    }


def main() -> int:
    """Print the figures; exit 1 when they fall short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--durations", type=Path, metavar="FILE", help="measured seconds of profile matrixone")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    cases = os.environ.get("MO_CASES")
    if not cases or not Path(cases).is_dir():
        print("MO_CASES names no case tree", file=sys.stderr)
        return 2
    measured = read_durations(args.durations, "matrixone") if args.durations else Measured()
    figures = measure(seconds_of(Path(cases), measured), args.seeds)
    print(json.dumps(figures) if args.format == "json" else "\n".join(f"{k}: {v}" for k, v in figures.items()))
    return 0 if figures["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
