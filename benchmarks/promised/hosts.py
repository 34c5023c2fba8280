"""Many hosts, many pull requests: level shards, fair turns, hosts that come and go, tests that are hostile."""

from __future__ import annotations

from benchmarks.promised.measure import INPUTS, Promise, environment


def balance() -> tuple[object, bool]:
    """Shards of a real tree, by scripts and as planned: longest over mean, with 20% noise; makespan over its bound."""
    environment("MO_CASES")
    figures = INPUTS.benchmark("benchmarks.balance")
    told = ("level", "level_noise", "plan", "plan_noise", "plan_whole", "makespan", "file_order")
    return {name: figures[name] for name in told}, bool(figures["ok"])


def fairness() -> tuple[object, bool]:
    """Ten shards behind a thousand, and the thousand under a stream of tens."""
    figures = INPUTS.benchmark("benchmarks.fairness")
    return {name: figures[name] for name in ("small_behind_big", "fifo", "big_share")}, bool(figures["ok"])


def fairness_real() -> tuple[object, bool]:
    """The same with real workers, real Celery and real time, smaller."""
    figures = INPUTS.benchmark("benchmarks.fairness_real", "--big", "300", "--seconds", "0.5", "--watch", "15")
    return {name: figures[name] for name in ("small_behind_big", "fifo", "big_share")}, bool(figures["ok"])


def scaling() -> tuple[object, bool]:
    """Throughput after two hosts became four, and how often a build ran for eight shards."""
    figures = INPUTS.benchmark("benchmarks.scaling")
    return {name: figures[name] for name in ("ratio", "builds", "built")}, bool(figures["ok"])


def fleet() -> tuple[object, bool]:
    """An hour of a thousand simulated hosts on a real ledger: what limits it, and how many hosts one Redis holds."""
    figures = INPUTS.benchmark("benchmarks.fleet_day", "--hours", "1", "--runs", "40")
    told = {name: figures[name] for name in ("hosts", "bottleneck", "hosts_one_redis_holds")}
    return told, figures["runs"] == 40 and figures["hosts_one_redis_holds"] >= figures["hosts"]


HOSTS = "tests/acceptance/test_hosts.py"
HOSTILE = "tests/integration/test_hostile.py"

PROMISES = [
    Promise("balance", "<= 1.02, 1.05, 1.03", balance),
    Promise("fairness", "<= 2 x fair, >= 25%", fairness),
    Promise("fairness-real", "<= 2 x fair, >= 25%", fairness_real),
    Promise("scaling", ">= 1.8 x, 1 build", scaling),
    Promise("fleet", ">= 1,000 hosts a Redis", fleet),
    Promise("drained-host", "0 fail", lambda: INPUTS.tests(HOSTS, "-k", "drained")),
    Promise("hostile", "0 fail", lambda: INPUTS.tests(HOSTILE)),
]
