"""Fair share between pull requests with real workers: real Celery, real subprocesses, real time.

    python benchmarks/fairness_real.py [--hosts 3] [--big 1000] [--seconds 2] [--watch 90] [--format text|json]

What :mod:`benchmarks.fairness` asks of simulated hosts, of worker hosts with two pool processes each:

* ``small_behind_big``: ten shards are submitted behind ``--big``; seconds until they are done over their fair time,
  which is what they need on half of the places at the pace of this machine (``pace``: seconds a shard keeps a place).
  First in, first out would need ``fifo`` times it.
* ``big_share``: the share of all shards that end which is the big run's, while small pull requests come so fast that
  they alone would fill all places, from the moment it has waited for the patience on, over ``--watch`` seconds.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from pathlib import Path

if str(Path(__file__).resolve().parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.rig.fleet import Fleet
from benchmarks.rig.project import Behaviour, Project, make_project
from benchmarks.rig.waiting import seconds_until
from orchestrator.runs import control

PLACES_A_HOST, SMALL, PATIENCE = 2, 10, 5.0
#: Shards whose ends tell the pace.
_PACED = 30


class Races:
    """Runs on one fleet."""

    def __init__(self, fleet: Fleet, project: Project, places: int) -> None:
        self._fleet, self._project, self.places = fleet, project, places
        self._ledger, self._app, self._pulls = fleet.ledger(), fleet.app, 0

    def start(self, shards: int) -> str:
        """A run of a pull request of its own, one task a shard."""
        self._pulls += 1
        names = list(self._project.packages)[:shards]
        return control.start(self._app, self._ledger, self._project.plan([[name] for name in names], self._pulls))

    def done(self, run: str) -> int:
        """How many of its tasks have ended."""
        progress = self._ledger.progress(run)
        return progress.done if progress else 0

    def reach(self, run: str, count: int) -> float:
        """When so many have."""
        seconds_until(lambda: self.done(run) >= count, f"{count} tasks of {run} have ended", patience=3600)
        return time.monotonic()

    def behind(self, big: str, left: int) -> dict[str, float]:
        """Ten shards behind the big run, of which ``left`` shards are left."""
        first = self.reach(big, self.done(big) + 1)
        count = self.done(big)
        pace = (self.reach(big, count + _PACED) - first) * self.places / _PACED
        left -= self.done(big)
        came = time.monotonic()
        took = self.reach(self.start(SMALL), SMALL) - came
        fair = pace * math.ceil(SMALL / (self.places / 2))
        in_turn = pace * (left + SMALL) / self.places
        return {"pace": round(pace, 2), "small_behind_big": round(took / fair, 2), "fifo": round(in_turn / fair, 1)}

    def under_stream(self, big: str, pace: float, watch: float) -> dict[str, float]:
        """The big run while small ones come as fast as all places could take them."""
        apart, began = pace * SMALL / self.places, time.monotonic()
        small: list[str] = []
        before: tuple[int, int] | None = None
        while (now := time.monotonic() - began) < 2 * PATIENCE + watch:
            if len(small) * apart <= now:
                small.append(self.start(SMALL))
            if before is None and now >= 2 * PATIENCE:
                before = self.done(big), sum(map(self.done, small))
            time.sleep(0.02)
        mine, others = self.done(big), sum(map(self.done, small))
        if before is not None:
            mine, others = mine - before[0], others - before[1]
        return {"big_share": round(mine / (mine + others), 3), "ended": mine + others}


def measure(args: argparse.Namespace, folder: Path) -> dict[str, float]:
    """All figures."""
    packages = {f"p{n:04}": Behaviour("passes", args.seconds) for n in range(args.big)}
    project = make_project(folder, packages, dispatch=f"{{lease: 10, patience: {PATIENCE}, workers: 4}}")
    with Fleet(project, hosts=args.hosts, concurrency=PLACES_A_HOST) as fleet:
        races = Races(fleet, project, args.hosts * PLACES_A_HOST)
        big = races.start(args.big)
        figures = races.behind(big, args.big)
        return {**figures, **races.under_stream(big, figures["pace"], args.watch)}


def main() -> int:
    """Print the figures; exit 1 when they fall short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=3)
    parser.add_argument("--big", type=int, default=1000, help="shards of the big run")
    parser.add_argument("--seconds", type=float, default=2.0, help="that a test waits")
    parser.add_argument("--watch", type=float, default=90.0, help="seconds over which the share is counted")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mo-") as folder:
        figures: dict[str, object] = {**measure(args, Path(folder) / "p")}
    figures["ok"] = float(str(figures["small_behind_big"])) <= 2.0 and float(str(figures["big_share"])) >= 0.25
    print(json.dumps(figures) if args.format == "json" else "\n".join(f"{k}: {v}" for k, v in figures.items()))
    return 0 if figures["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
