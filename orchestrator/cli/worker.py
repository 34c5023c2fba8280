"""Take shards from the queues of this host's choice and run them.

Add a host by starting this on it: it needs MO_TESTPLAN_REDIS_URL, a clone of the repository (MO_TESTPLAN_REPO) and the
tools of its queues (`mo-testplan doctor` says what is missing).
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
import re
import shutil
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from celery import signals

from orchestrator import __version__
from orchestrator.cli import confine, edge, life
from orchestrator.cli.kept import KeptProfiles
from orchestrator.domain.errors import BrokerError, ToolMissingError, UsageError, WorkspaceError, nearest
from orchestrator.domain.options import positive
from orchestrator.domain.plan import Suite as SuiteName
from orchestrator.domain.profile import Profile
from orchestrator.domain.run import ShardSpec
from orchestrator.ledger import keys
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.hosts import HostRecord
from orchestrator.messaging import SUITE_QUEUES, App, ask_summary, host_label, make_app
from orchestrator.settings import Settings, check_profile
from workers import artifacts
from workers.agent import DISK_ENOUGH, Agent, consumer_of, full_name
from workers.build import Builder
from workers.otheruser import OtherUser
from workers.process import Host, Limits
from workers.sandbox import describe
from workers.shard import Bench
from workers.suites.base import Suite
from workers.suites.bvt import BvtSuite
from workers.suites.sca import StaticAnalysisSuite
from workers.suites.ut import UnitTestSuite
from workers.workspace import Workspaces
from workers.workspace.git import object_store

logger = logging.getLogger(__name__)

#: What one process of a test may use unless the operator says otherwise; 0: as much as it likes. ``disk`` is what must
#: be left free; ``processes`` counts all of the user's, and holds only where the worker is not root.
_LIMITS = {
    "processes": 4096,
    "files": 65536,
    "file": 8 << 30,
    "memory": 0,
    "tree": 0,
    "cpu": 0,
    "disk": 1 << 30,
    "output": 4 << 30,
}
#: Tries of one ledger command, some seconds; `workers.shard` holds a finished result for longer.
_RETRIES = 5
#: Seconds a heartbeat may wait for its answer.
_PULSE_SECONDS = 3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``worker``."""
    parser.add_argument("--queues", default=",".join(SUITE_QUEUES), help="comma-separated (default: every suite)")
    parser.add_argument("--concurrency", type=positive, default=1, metavar="N", help="shards at once (default 1)")
    parser.add_argument("--name", default=f"worker-{os.getpid()}", help="name before the @ of this worker's host name")
    parser.add_argument("--profile", action="append", default=[], metavar="FILE", help="profile file; repeatable")
    parser.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="serve even where no sandbox works: tests of pull requests then read what this user can",
    )

    parser.add_argument(
        "--shared-cache",
        action="store_true",
        help="one Go build cache for all runs: faster, but a test can leave something there for other runs to execute",
    )
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=N",
        help=f"what one process of a test may use: {', '.join(_LIMITS)}; sizes as 512M or 8G, 0: no limit; repeatable",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop: TERM lets running shards finish, QUIT does not."""
    from workers import tasks

    queues = edge.queues_named(args.queues)
    # Its own queues, too, so that a run can be sent to this host alone.
    queues += [f"{suite}.{host_label(socket.gethostname())}" for suite in SUITE_QUEUES if suite in queues]
    config = edge.settings()
    profiles = {profile.name: profile for profile in (check_profile(path, config) for path in args.profile)}
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    trusted = args.unsafe_no_sandbox
    host = make_host(config, os.environ, sandbox_needed=not trusted)
    if not trusted and any(queue.partition(".")[0] == "bvt" for queue in queues):
        confine.guard_redis(config, profiles.values())
    # Programs of several uids cannot share what each of them writes.
    private = host.sandbox is not None and (not host.sandbox.one_owner or not (trusted or args.shared_cache))
    host = dataclasses.replace(host, limits=limits_of(args.limit), private_caches=private)
    Ledger(config.redis_url, retries=_RETRIES).agree()
    app = make_app(config.redis_url, queues)
    receivers = tasks.register(
        app,
        lambda: make_bench(config, profiles, host),
        lambda: Ledger(config.redis_url, retries=_RETRIES),
    )
    life.end_with_stdin(args.until_eof)
    name = full_name(args.name)
    agent = make_agent(config, app, describe_self(name, queues, args.concurrency, host))
    signals.worker_ready.connect(agent.started)
    worker = app.Worker(
        hostname=name,
        queues=queues,
        concurrency=args.concurrency,
        pool="prefork",
        loglevel="INFO",
        task_events=True,
        without_gossip=True,
        without_mingle=True,
    )
    try:
        worker.start()
    finally:
        agent.close()
    del receivers
    return int(worker.exitcode or 0)


def describe_self(name: str, queues: Sequence[str], concurrency: int, host: Host) -> HostRecord:
    """What this worker says of itself."""
    return HostRecord(
        name=name,
        version=__version__,
        scheme=keys.SCHEME,
        queues=tuple(queues),
        concurrency=concurrency,
        cpus=os.cpu_count() or 0,
        sandbox=host.sandbox.name if host.sandbox is not None else "",
    )


def make_agent(config: Settings, app: App, record: HostRecord) -> Agent:
    """The voice of this worker; it speaks once the worker is ready."""
    folder = Path(config.workspaces)
    folder.mkdir(parents=True, exist_ok=True)
    return Agent(Ledger(config.redis_url), record, consumer_of(app, record.name), folder)


def make_host(config: Settings, environ: Mapping[str, str], *, sandbox_needed: bool) -> Host:
    """This machine, as suites see it; with ``sandbox_needed`` an error where tests could not be confined."""
    if config.gocache_seed and not os.access(config.gocache_seed, os.R_OK | os.X_OK):
        raise UsageError(
            f"MO_TESTPLAN_GOCACHE_SEED={config.gocache_seed} is no folder that can be read",
            "Fill it with trusted code (docs/hosts.md), or leave it out.",
        )
    if config.repo:
        object_store(Path(config.repo))  # a host without one would take shard after shard and fail it
    sandbox = confine.confinement(config, environ)
    if sandbox is None and sandbox_needed:
        raise ToolMissingError(
            f"this worker would run code of pull requests unconfined: {describe(environ.get('PATH'))}",
            "Install bubblewrap, or accept it with --unsafe-no-sandbox.",
        )
    scratch = Path(config.workspaces) / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    if isinstance(sandbox, OtherUser):
        confine.keep_apart(config, sandbox, scratch)
    seed = Path(config.gocache_seed) if config.gocache_seed else None
    return Host(environment=dict(environ), sandbox=sandbox, scratch=scratch, cache_seed=seed)


def limits_of(words: Sequence[str]) -> Limits:
    """``processes=4096``, ``memory=8G`` …; what is not named is as :data:`_LIMITS` has it."""
    named = dict(_LIMITS)
    for word in words:
        name, _, text = word.partition("=")
        match = re.fullmatch(r"(\d{1,12})([KMGT]?)", text)
        if name not in named:
            raise UsageError(f"--limit {word}: there is no limit {name!r}", nearest(name, named))
        if match is None:
            raise UsageError(f"--limit {word}: {text!r} is no size", "Write a number, or one like 512M or 8G.")
        named[name] = int(match[1]) << (10 * " KMGT".index(match[2] or " "))
    return Limits(
        processes=named["processes"] or None,
        open_files=named["files"] or None,
        file_size=named["file"] or None,
        memory=named["memory"] or None,
        tree_memory=named["tree"] or None,
        cpu=named["cpu"] or None,
        disk_reserve=named["disk"] or None,
        output=named["output"] or sys.maxsize,
    )


def make_bench(config: Settings, profiles: dict[str, Profile], host: Host) -> Bench:
    """What the shards of one pool process work with."""

    kept = KeptProfiles(config)

    def profile(name: str) -> Profile:
        return profiles.get(name) or kept(name)

    def checkout(profile: Profile, spec: ShardSpec, cancelled: Callable[[], bool]) -> tuple[Path, Callable[[], None]]:
        if not profile.repository:
            raise WorkspaceError(  # another host may have one: it is for that to try
                f"profile {profile.name!r} names no repository", "Set MO_TESTPLAN_REPO to a clone on this host."
            )
        workspaces = Workspaces(Path(config.workspaces), Path(profile.repository))
        tree = workspaces.checkout(spec.commit, spec.run, cancelled=cancelled)
        if profile.build.command and spec.tasks and spec.tasks[0].type.queue in profile.build.suites:
            try:
                builder.ensure(profile.build, spec.run, tree.path, cancelled)
            except BaseException:
                tree.release()
                raise

        def give_back() -> None:
            tree.release()
            full = shutil.disk_usage(config.workspaces).free < DISK_ENOUGH
            workspaces.prune(keep=0 if full else 8)  # also what is a day old; what another shard uses stays
            artifacts.prune(Path(config.artifacts), profile.retention.cases_days, ledger.active)

        return tree.path, give_back

    app = make_app(config.redis_url)

    def completed(run: str) -> None:
        try:
            ask_summary(app, run)
        except BrokerError as error:  # the reaper sees it at its next look
            logger.warning("run %s is complete, and nobody could be told: %s", run, error.message)

    ledger = Ledger(config.redis_url, retries=_RETRIES)
    builder = Builder(ledger, host, Path(config.artifacts))
    pulse = Ledger(config.redis_url, retries=0, timeout=_PULSE_SECONDS)
    return Bench(ledger, Path(config.artifacts), checkout, profile, suites(host), completed, pulse=pulse)


def suites(host: Host) -> dict[SuiteName, Suite]:
    """Every suite this program knows."""
    return {
        SuiteName.UNIT_TEST: UnitTestSuite(host),
        SuiteName.SCA: StaticAnalysisSuite(host),
        SuiteName.BVT: BvtSuite(host),
    }
