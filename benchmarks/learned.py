"""What a history model costs: to learn, to bring up to date, to keep, and to plan with.

    python benchmarks/learned.py --repo CLONE [--commits N] [--rounds 5] [--format text|json]
    python benchmarks/learned.py --model FILE [--rounds 5]

Learns from the first N commits of the line less a hundred (default: all), adds the hundred, saves, and plans a diff of
1,000 lines with a budget of 10% in another process, as plans are made: diff text to plan bytes, the model loaded, the
best of rounds. With --model only that, by a model that is there. Exit 1 when a limit is not kept, or the commits were
too few to learn from (``examples`` is 0).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `python benchmarks/learned.py` finds the packages without an installation

from benchmarks.plan import make_diff  # noqa: E402 - after the path is set
from orchestrator.diff.git import find_git, isolated, resolve  # noqa: E402
from orchestrator.diff.source import from_text  # noqa: E402
from orchestrator.domain.profile import Profile  # noqa: E402
from orchestrator.garbage import without_collection  # noqa: E402
from orchestrator.history.commits import read_commits  # noqa: E402
from orchestrator.history.learn import learn, update  # noqa: E402
from orchestrator.history.model import Model, load_model, save_model  # noqa: E402
from orchestrator.planner.budget import parse_budget  # noqa: E402
from orchestrator.planner.encode import dumps  # noqa: E402
from orchestrator.planner.learned import advise_by  # noqa: E402
from orchestrator.planner.pipeline import build_plan  # noqa: E402
from orchestrator.planner.strategies import WITH_MODEL  # noqa: E402
from orchestrator.settings import load_profile, settings_from  # noqa: E402

#: Commits an update is measured with.
_NEW = 100


def plan_milliseconds(model: Model, profile: Profile, rounds: int) -> float:
    """The best of some rounds: a diff of 1,000 lines to the bytes of its plan."""
    # A directory that history knows in place of one that nobody does: a plan that is not widened spends its budget.
    known = sorted(model.past.channels["file"].frequency)
    folder = known[len(known) // 2].rpartition("/")[0]
    text = make_diff(1000).replace("pkg/common/x/", f"{folder}/").encode()
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        with without_collection():  # as every command and service plans
            change = from_text(text)
            advice = advise_by(change, profile, model)._replace(budget=parse_budget("10%"))
            dumps(build_plan(change, profile, strategies=WITH_MODEL, advice=advice))
        best = min(best, time.perf_counter() - start)
    return best * 1000


def use(path: Path, rounds: int) -> dict[str, float]:
    """Seconds of processor time to load a model, and milliseconds of a plan with it."""
    start = time.process_time()
    model = load_model(path)
    loaded = time.process_time() - start
    return {"load_seconds": round(loaded, 1), "plan_ms": round(plan_milliseconds(model, _profile(), rounds), 1)}


def _profile() -> Profile:
    return load_profile(str(ROOT / "config" / "matrixone.yaml"), settings_from({}))


def measure(repository: Path, commits: int | None, rounds: int) -> dict[str, float]:
    """All figures: seconds of processor time, megabytes, milliseconds."""
    profile = _profile()
    found = find_git(repository)
    head = resolve(found, "HEAD", "HEAD").head
    with isolated(found, head) as git:
        line = [commit.sha for commit in read_commits(git, head)][:commits]
    start = time.process_time()
    model = learn(repository, profile, line[-_NEW - 1]).model
    learned = time.process_time()
    model = update(model, repository, profile, line[-1]).model
    updated = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        size = save_model(model, path := Path(folder) / "model")
        words = ["--model", str(path), "--rounds", str(rounds), "--format", "json"]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.learned", *words], cwd=ROOT, stdout=subprocess.PIPE, check=False
        )
    return {
        "commits": len(line) - _NEW,
        "examples": model.ranker.examples if model.ranker else 0,
        "learn_seconds": round(learned - start, 1),
        "update_seconds": round(updated - learned, 1),
        "model_mb": round(size / 1e6, 2),
        **json.loads(done.stdout),
    }


def main() -> int:
    """Measure and print; 1 when learning, updating, size or planning is beyond its limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--repo", type=Path)
    what.add_argument("--model", type=Path, help="only plan, with this model")
    parser.add_argument("--commits", type=int, help="only the first N of the line")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    args = parser.parse_args()
    figures = use(args.model, args.rounds) if args.model else measure(args.repo, args.commits, args.rounds)
    if args.format == "json":
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:<15} {value}" for name, value in figures.items()))
    limits = {"learn_seconds": 600, "update_seconds": 10, "model_mb": 20, "plan_ms": 300}
    return int(figures.get("examples") == 0 or any(figures.get(name, 0) > limit for name, limit in limits.items()))


if __name__ == "__main__":
    sys.exit(main())
