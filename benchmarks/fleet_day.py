"""A day of a thousand hosts and some hundred concurrent pull requests: real planner, ledger and Redis, simulated hosts.

    python benchmarks/fleet_day.py [--hosts 1000] [--hours 24] [--runs 1150] [--pictures DIR] [--format text|json]

Runs arrive as people work: few at night, most before noon and after lunch. Six in ten have 4 to 12 shards, three 20 to
60, one 150 to 400; a shard takes about 20 minutes. Told are the time shards wait and how much longer a run takes than
alone on all hosts, by size of run, and what Redis does for it: calls and processor time of the ledger and the queues as
they happen, and of heartbeats, which are not simulated, by what one of them costs here times how many there would be.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any, cast

if str(Path(__file__).resolve().parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.rig.virtual import Story, World
from orchestrator.cli import charts
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.embedded import EmbeddedRedis
from orchestrator.ledger.records import Delivery
from workers.agent import INTERVAL as HOST_BEAT
from workers.heart import INTERVAL as TASK_BEAT

SIZES = {"small": (0.6, 4, 12), "medium": (0.3, 20, 60), "big": (0.1, 150, 400)}
#: Seconds between two looks of the leveller, and what ends of shards are rounded up to.
TICK, STEP = 30.0, 10.0


def arrivals(dice: random.Random, runs: int, hours: float) -> list[float]:
    """When runs come, in seconds: a quiet night and two humps."""

    def busy(hour: float) -> float:
        return 0.15 + math.exp(-((hour - 10.5) ** 2) / 6) + math.exp(-((hour - 15.5) ** 2) / 6)

    found: list[float] = []
    while len(found) < runs:
        at = dice.uniform(0, hours)
        if dice.uniform(0, 1.3) < busy(at % 24):
            found.append(at * 3600)
    return sorted(found)


def fill(world: World, dice: random.Random, runs: int, hours: float) -> None:
    """Submit the day."""
    for number, at in enumerate(arrivals(dice, runs, hours)):
        kind = dice.choices(list(SIZES), [share for share, _, _ in SIZES.values()])[0]
        _, least, most = SIZES[kind]
        seconds = [round(min(3600.0, dice.lognormvariate(7.0, 0.4)), 1) for _ in range(dice.randint(least, most))]
        world.at(at, seconds, number, kind)


def beat_cost(url: str) -> float:
    """Seconds of Redis' processor that one heartbeat of a task takes, the call included."""
    ledger, seen = Ledger(url), Delivery("beat", "ut-1", 1)
    before, count = _processor(ledger), 4000
    for _ in range(count):
        ledger.beat(seen, "host", "ut:p", 1e9)
    return (_processor(ledger) - before) / count


def _processor(ledger: Ledger) -> float:
    info = cast("dict[str, float]", ledger.redis.info("cpu"))
    return info["used_cpu_sys"] + info["used_cpu_user"]


def _told(values: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(values, n=20) if len(values) > 1 else [*values] * 19
    return {"p50": round(median(values), 1), "p95": round(cuts[18], 1)}


def by_size(stories: Iterable[Story], hosts: int) -> dict[str, dict[str, Any]]:
    """Waits of shards and stretch of runs, by kind."""
    ended = [story for story in stories if story.ended is not None]
    told = {}
    for kind in SIZES:
        ours = [story for story in ended if story.kind == kind]
        if ours:
            stretch = [((story.ended or 0) - story.submitted) / story.alone(hosts) for story in ours]
            waits = [wait for story in ours for wait in story.waits]
            told[kind] = {"runs": len(ours), "wait": _told(waits), "stretch": _told(stretch)}
    return told


def draw(world: World, told: dict[str, Any], folder: Path) -> None:
    """Three pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    waits = {kind: _hourly(world.stories.values(), kind) for kind in SIZES}
    load = {
        "hosts that are busy": [(at / 3600, float(busy)) for at, _, busy, _ in world.samples[::30]],
        "shards that wait": [(at / 3600, float(waiting)) for at, _, _, waiting in world.samples[::30]],
    }
    beats = told["redis"]["beat_us"] / 1e6 / TASK_BEAT
    redis = {
        "heartbeats of running tasks": [(at / 3600, 100 * busy * beats) for at, _, busy, _ in world.samples[::30]],
        "all else": [(at / 3600, told["redis"]["rest_percent"]) for at, _, _, _ in world.samples[::30]],
    }
    hours = "hour of the day"
    pictures = {
        "fleet-wait.svg": charts.lines("How long shards wait, mean by hour", waits, hours, "seconds"),
        "fleet-load.svg": charts.lines("Hosts and queue", load, hours, "hosts, shards"),
        "fleet-redis.svg": charts.lines("Redis' processor", redis, hours, "% of one core"),
    }
    for name, picture in pictures.items():
        (folder / name).write_text(picture, encoding="utf-8")


def _hourly(stories: Iterable[Story], kind: str) -> list[tuple[float, float]]:
    sums: dict[int, list[float]] = {}
    for story in stories:
        if story.kind == kind:
            sums.setdefault(int(story.submitted // 3600), []).extend(story.waits)
    return [(float(hour), sum(waits) / len(waits)) for hour, waits in sorted(sums.items()) if waits]


def measure(args: argparse.Namespace, url: str) -> dict[str, Any]:
    """Let the day pass."""
    dice = random.Random(args.seed)
    world = World(url, hosts=args.hosts, patience=120.0, tick=TICK, step=STEP)
    fill(world, dice, args.runs, args.hours)
    ledger, began = Ledger(url), time.monotonic()
    before = _processor(ledger)
    world.run(args.hours * 3600)
    used = _processor(ledger) - before
    info: dict[str, Any] = ledger.redis.info("all")
    beat = beat_cost(url)
    seconds, shards = args.hours * 3600, sum(len(story.waits) for story in world.stories.values())
    most = max(busy for _, _, busy, _ in world.samples)
    percent = {
        "task beats at the peak": 100 * most * beat / TASK_BEAT,
        "host beats": 100 * args.hosts * beat / HOST_BEAT,
        "queues and ledger": 100 * used / seconds,
    }
    told = {
        "hosts": args.hosts,
        "runs": len(world.stories),
        "shards": shards,
        "concurrent_runs": max(live for _, live, _, _ in world.samples),
        "busy": round(sum(busy for _, _, busy, _ in world.samples) / len(world.samples) / args.hosts, 3),
        "sent_again": world.sent_again,
        "by_size": by_size(world.stories.values(), args.hosts),
        "redis": {
            "memory_mb": round(info["used_memory_peak"] / (1 << 20)),
            "beat_us": round(beat * 1e6, 1),
            "rest_percent": round(percent["queues and ledger"] + percent["host beats"], 2),
            "percent": {name: round(value, 2) for name, value in percent.items()},
        },
        "bottleneck": max(percent, key=lambda name: percent[name]),
        "hosts_one_redis_holds": int(args.hosts * 70 / sum(percent.values())),
        "seconds": round(time.monotonic() - began, 1),
    }
    if args.pictures:
        draw(world, told, Path(args.pictures))
    return told


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--runs", type=int, default=1150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pictures", metavar="DIR", help="write fleet-wait.svg, fleet-load.svg and fleet-redis.svg")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mo-") as folder, EmbeddedRedis(Path(folder)) as server:
        told = measure(args, server.url)
    print(json.dumps(told) if args.format == "json" else json.dumps(told, indent=1))
    return 0 if told["runs"] == args.runs else 1


if __name__ == "__main__":
    sys.exit(main())
