"""What the commands share: settings from the environment, connections made of them, answers printed."""

from __future__ import annotations

import argparse
import json
import os
import pwd
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.cli import output
from orchestrator.domain.change import pull_of
from orchestrator.domain.errors import BrokerError, MoTestplanError, UnknownRunError, UsageError, nearest
from orchestrator.domain.plain import to_plain
from orchestrator.domain.plan import LABEL, TestPlan
from orchestrator.domain.run import RunSummary
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.hosts import Deed
from orchestrator.messaging import SUITE_QUEUES
from orchestrator.planner.codec import loads
from orchestrator.runs.summarize import summary_of
from orchestrator.settings import Settings, load_profile, profile_path, settings_from

if TYPE_CHECKING:
    from orchestrator.store import Store

#: Runs of a pull request that are looked at in the history.
_LOOKED_AT = 100


def settings() -> Settings:
    """Settings from this process's environment."""
    return settings_from()


def profile_name(said: str, config: Settings) -> str:
    """The name that runs of a profile carry, of a ``--profile`` that may be its file as with other commands."""
    path = profile_path(said, config)
    return load_profile(said, config).name if path == Path(said) else said


def queues_named(text: str) -> list[str]:
    """The queues of ``--queues``; :class:`UsageError` for one that no plan can name."""
    queues = [name for name in text.split(",") if name]
    if not queues:
        raise UsageError("--queues names no queue", f"Name some of {', '.join(SUITE_QUEUES)}.")
    for name in queues:
        suite, dot, label = name.partition(".")
        if suite not in SUITE_QUEUES:
            raise UsageError(f"no queue {name!r}", nearest(name, SUITE_QUEUES))
        if dot and not LABEL.fullmatch(label):
            raise UsageError(
                f"no plan can name the queue {name!r}", "A label has lower-case letters, digits, - and _: bvt.gpu."
            )
    return queues


def who() -> str:
    """Who asks, for the audit log."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return f"{name}@{os.uname().nodename}"


def add_run(parser: argparse.ArgumentParser, nargs: str | None = None) -> None:
    """The argument RUN, as :func:`find_run` understands it."""
    words = "a run's id, the beginning of one, or the number of a pull request (its newest run)"
    parser.add_argument("run", metavar="RUN", nargs=nargs, help=words)


def add_format(parser: argparse.ArgumentParser, *more: str) -> None:
    """``--format text|json`` and ``more``."""
    parser.add_argument("--format", choices=["text", "json", *more], default="text", help="how to print (default text)")


def print_json(value: object) -> None:
    """One JSON document on stdout, and nothing else."""
    output.in_utf8()
    text = json.dumps(to_plain(value), ensure_ascii=False, indent=2)
    sys.stdout.write(text.encode("utf-8", "replace").decode() + "\n")


def print_text(text: str) -> None:
    """A document on stdout, and nothing else; half a surrogate becomes a question mark."""
    output.in_utf8()
    sys.stdout.write(text.encode("utf-8", "replace").decode() + "\n")


def say(text: str) -> None:
    """Words for a person, on stderr, so that stdout is only the answer."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress goes to stderr


def record(ledger: Ledger, action: str, target: str, result: str) -> None:
    """Put what this command did into the audit log, by way of the ledger: the log is where the control process is."""
    ledger.deed(Deed(time.time(), who(), "cli", action, target, result))


def find_run(config: Settings, name: str) -> tuple[RunSummary, TestPlan]:
    """A run by id, by the beginning of one, or the newest of a pull request by its number.

    It is from the ledger while it is live and from the history afterwards. One that neither knows is an
    :class:`UnknownRunError`; an :class:`InfrastructureError` when the ledger, which may know it, could not be asked, or
    is one of another version.
    """
    if not name:
        raise UsageError("the name of the run is empty", "`mo-testplan runs` lists them.")
    away: BrokerError | None = None
    ledger = Ledger(config.redis_url, retries=1)
    try:
        found = _in_ledger(ledger, name)
    except BrokerError as error:
        away, found = error, None
    if found is not None:
        return found
    try:
        found = _in_history(config, name)
    except MoTestplanError:
        if away is not None:
            raise away from None
        ledger.check_scheme()  # a run of another version is not seen from here
        raise
    if away is not None:
        say(f"mo-testplan: {away.sentence} This is from the history.")
    return found


def _in_history(config: Settings, name: str) -> tuple[RunSummary, TestPlan]:
    history = open_store(config)
    try:
        pull = pull_of(name)
        past = reversed(history.runs(_LOOKED_AT, pr=pull)) if pull is not None else ()
        run = _newest(name, ((row.profile, row.id) for row in past)) if pull is not None else history.resolve(name)
        if run is None:
            raise UnknownRunError(f"no run of pull request {pull} is known here", "`mo-testplan runs` lists them.")
        summary, text = history.summary(run), history.plan_json(run)
    finally:
        history.close()
    if summary is None or text is None:
        raise UnknownRunError(
            f"run {name!r} is neither live nor in the history", "`mo-testplan runs` lists what is known here."
        )
    return summary, loads(text)


def _in_ledger(ledger: Ledger, name: str) -> tuple[RunSummary, TestPlan] | None:
    progress, pull = ledger.progress(name), pull_of(name)
    if progress is None and pull is not None:
        live = [found for run in ledger.active() if (found := ledger.progress(run)) is not None]
        run = _newest(name, ((one.profile, one.run) for one in live if one.pr_number == pull))
        progress = ledger.progress(run) if run else None
    elif progress is None:
        run = _one(name, sorted(run for run in ledger.active() if run.startswith(name)))
        progress = ledger.progress(run) if run else None
    text = ledger.plan(progress.run) if progress is not None else None
    if progress is None or text is None:
        return None
    plan = loads(text)
    return summary_of(ledger, progress, plan.id), plan


def _newest(name: str, runs: Iterable[tuple[str, str]]) -> str | None:
    """The newest of (profile, run), the oldest first; two profiles may have pull requests of one number."""
    return _one(name, list(dict(runs).values()))


def _one(name: str, found: list[str]) -> str | None:
    if len(found) > 1:
        raise UnknownRunError(f"{name!r} may mean several runs: {', '.join(found[:5])}", "Write more of the run's id.")
    return found[0] if found else None


def open_store(config: Settings) -> Store:
    """The history."""
    from orchestrator.store import Store  # SQLAlchemy: half of what a command that needs no history would load

    return Store(config.store_url)
