"""Fair share between pull requests: real levels, leveller, ledger and Redis; hosts and time are simulated.

    python benchmarks/fairness.py [--hosts 6] [--format text|json]

* ``small_behind_big``: ten shards of ten seconds are submitted behind a thousand; seconds until they are done over
  their fair time, which is what they need on half of the hosts. First in, first out needs ``fifo`` times it.
* ``big_share``: the share of the hosts that a run of a thousand has while small pull requests alone would fill all of
  them (``stream`` times over), from the moment it has waited for the patience on.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path

if str(Path(__file__).resolve().parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.rig.virtual import World
from orchestrator.ledger.embedded import EmbeddedRedis

SECONDS, SMALL, BIG = 10.0, 10, 1000
PATIENCE, TICK = 60.0, 1.0


def small_behind_big(url: str, hosts: int) -> dict[str, float]:
    """Ten shards behind a thousand."""
    world = World(url, hosts=hosts, patience=PATIENCE, tick=TICK)
    world.at(0.0, [SECONDS] * BIG, 1, "big")
    came = 205.0
    world.at(came, [SECONDS] * SMALL, 2, "small")
    world.run(came + 5 * SECONDS * SMALL)
    (small,) = (story for story in world.stories.values() if story.kind == "small")
    fair = SECONDS * math.ceil(SMALL / (hosts / 2))
    in_turn = BIG * SECONDS / hosts - came + SECONDS * math.ceil(SMALL / hosts)
    took = (small.ended or math.inf) - came
    return {"small_behind_big": round(took / fair, 2), "fifo": round(in_turn / fair, 1)}


def big_under_stream(url: str, hosts: int, stream: float) -> dict[str, float]:
    """A thousand under small pull requests that would fill ``stream`` times the hosts."""
    world = World(url, hosts=hosts, patience=PATIENCE, tick=TICK)
    world.at(0.0, [SECONDS] * BIG, 1, "big")
    apart, until = SMALL * SECONDS / hosts / stream, 1000.0
    for number in range(int(until / apart)):
        world.at(number * apart, [SECONDS] * SMALL, 2 + number, "small")
    world.run(PATIENCE + 2 * SECONDS)
    before = world.served["big"]
    world.run(until)
    share = (world.served["big"] - before) / (hosts * (until - PATIENCE - 2 * SECONDS))
    return {"big_share": round(share, 3), "stream": stream}


def main() -> int:
    """Print the figures; exit 1 when they fall short."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=4)
    parser.add_argument("--stream", type=float, default=1.0)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    figures: dict[str, float | bool] = {"hosts": args.hosts}
    for measure in (small_behind_big, lambda url, hosts: big_under_stream(url, hosts, args.stream)):
        with tempfile.TemporaryDirectory(prefix="mo-") as folder, EmbeddedRedis(Path(folder)) as server:
            figures |= measure(server.url, args.hosts)
    figures["ok"] = figures["small_behind_big"] <= 2.0 and figures["big_share"] >= 0.25
    print(json.dumps(figures) if args.format == "json" else "\n".join(f"{k}: {v}" for k, v in figures.items()))
    return 0 if figures["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
