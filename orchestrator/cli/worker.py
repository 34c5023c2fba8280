"""Take shards from the queues of this host's choice and run them.

Add a host by starting this on it: it needs MO_TESTPLAN_REDIS_URL, a clone of the repository (MO_TESTPLAN_REPO) and the
tools of its queues (`mo-testplan doctor` says what is missing).
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path

from workers.workspace import Workspaces

from orchestrator.cli import edge, life
from orchestrator.domain.errors import UsageError, nearest
from orchestrator.domain.plan import Suite as SuiteName
from orchestrator.domain.profile import Profile
from orchestrator.domain.run import ShardSpec
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import SUITE_QUEUES, make_app
from orchestrator.settings import Settings, check_profile
from workers.shard import Bench
from workers.suites.base import Suite

#: Ten minutes: a broker that is away for shorter is waited for.
_RETRIES = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``worker``."""
    parser.add_argument("--queues", default=",".join(SUITE_QUEUES), help="comma-separated (default: every suite)")
    parser.add_argument("--concurrency", type=int, default=1, metavar="N", help="shards at once (default 1)")
    parser.add_argument("--name", default=f"worker-{os.getpid()}", help="name before the @ of this worker's host name")
    parser.add_argument("--profile", action="append", default=[], metavar="FILE", help="profile file; repeatable")
    parser.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="run tests of pull requests with this user's rights: they can read what this user can",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop: TERM lets running shards finish, a second one does not."""
    from workers import tasks

    queues = [name for name in args.queues.split(",") if name]
    for name in queues:
        if name.partition(".")[0] not in SUITE_QUEUES:
            raise UsageError(f"no queue {name!r}", nearest(name, SUITE_QUEUES))
    config = edge.settings()
    profiles = {profile.name: profile for profile in (check_profile(path, config) for path in args.profile)}
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    app = make_app(config.redis_url, queues)
    receivers = tasks.register(
        app,
        lambda: make_bench(config, profiles),
        lambda: Ledger(config.redis_url, retries=_RETRIES),
    )
    life.end_with_stdin(args.until_eof)
    worker = app.Worker(
        hostname=f"{args.name}@{socket.gethostname()}",
        queues=queues,
        concurrency=args.concurrency,
        pool="prefork",
        loglevel="INFO",
        task_events=True,
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    del receivers
    return int(worker.exitcode or 0)


def make_bench(config: Settings, profiles: dict[str, Profile]) -> Bench:
    """What the shards of one pool process work with."""
    workspaces = Workspaces(Path(config.workspaces))

    def profile(name: str) -> Profile:
        return profiles.get(name) or check_profile(name, config)

    def checkout(profile: Profile, spec: ShardSpec) -> tuple[Path, Callable[[], None]]:
        if not profile.repository:
            raise UsageError(
                f"profile {profile.name!r} names no repository", "Set MO_TESTPLAN_REPO to a clone on this host."
            )
        tree = workspaces.checkout(Path(profile.repository), spec.commit, spec.run)
        return tree.path, lambda: workspaces.release(tree)

    return Bench(Ledger(config.redis_url, retries=_RETRIES), Path(config.artifacts), checkout, profile, suites())


def suites() -> dict[SuiteName, Callable[[], Suite]]:
    """Every suite this program knows, made when a task needs it."""

    def unit_tests() -> Suite:
        from workers.suites.ut import UnitTestSuite

        return UnitTestSuite()

    def static_analysis() -> Suite:
        from workers.suites.sca import StaticAnalysisSuite

        return StaticAnalysisSuite()

    def bvt() -> Suite:
        from workers.suites.bvt import BvtSuite

        return BvtSuite()

    return {SuiteName.UNIT_TEST: unit_tests, SuiteName.SCA: static_analysis, SuiteName.BVT: bvt}
