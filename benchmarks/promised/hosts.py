"""Many hosts, many pull requests: level shards, fair turns, hosts that come and go, tests that are hostile."""

from __future__ import annotations

from benchmarks.promised.measure import INPUTS, Promise, environment


def balance() -> tuple[object, bool]:
    """Shards of a real case tree: longest over mean, the same with 20% noise, makespan over its lower bound."""
    environment("MO_CASES")
    figures = INPUTS.benchmark("benchmarks.balance")
    return {name: figures[name] for name in ("level", "level_noise", "makespan", "file_order")}, bool(figures["ok"])


def fairness() -> tuple[object, bool]:
    """Ten shards behind a thousand, and the thousand under a stream of tens."""
    figures = INPUTS.benchmark("benchmarks.fairness")
    return {name: figures[name] for name in ("small_behind_big", "fifo", "big_share")}, bool(figures["ok"])


PROMISES = [
    Promise("balance", "<= 1.02, 1.05, 1.03", balance),
    Promise("fairness", "<= 2 x fair, >= 25%", fairness),
]
