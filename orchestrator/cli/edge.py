"""What the commands share: settings from the environment, connections made of them, answers printed."""

from __future__ import annotations

import argparse
import json
import os
import pwd
import sys
from typing import Any

from orchestrator.domain.errors import UnknownRunError
from orchestrator.domain.plain import to_plain
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import RunSummary
from orchestrator.ledger.client import Ledger
from orchestrator.planner.codec import loads
from orchestrator.runs.summarize import summary_of
from orchestrator.settings import Settings, settings_from
from orchestrator.store import Store


def settings() -> Settings:
    """Settings from this process's environment."""
    return settings_from()


def who() -> str:
    """Who asks, for the audit log."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return f"{name}@{os.uname().nodename}"


def add_format(parser: argparse.ArgumentParser, *more: str) -> None:
    """``--format text|json`` and ``more``."""
    parser.add_argument("--format", choices=["text", "json", *more], default="text", help="how to print (default text)")


def print_json(value: object) -> None:
    """One JSON document on stdout, and nothing else."""
    text = json.dumps(to_plain(value), ensure_ascii=False, indent=2)
    sys.stdout.write(text.encode("utf-8", "replace").decode() + "\n")


def say(text: str) -> None:
    """Words for a person, on stderr, so that stdout is only the answer."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - progress goes to stderr


def find_run(config: Settings, name: str) -> tuple[RunSummary, TestPlan]:
    """A run by id or unique prefix, from the ledger while it is live and from the history afterwards."""
    ledger = Ledger(config.redis_url, retries=1)
    found = _in_ledger(ledger, name)
    if found is not None:
        return found
    with_history = open_store(config)
    try:
        run = with_history.resolve(name)
        summary, text = with_history.summary(run), with_history.plan_json(run)
    finally:
        with_history.close()
    if summary is None or text is None:
        raise UnknownRunError(
            f"run {name!r} is neither live nor in the history", "`mo-testplan runs` lists what is known here."
        )
    return summary, loads(text)


def _in_ledger(ledger: Ledger, name: str) -> tuple[RunSummary, TestPlan] | None:
    from orchestrator.domain.errors import BrokerError

    try:
        candidates = [run for run in ledger.active() if run.startswith(name)]
        run = candidates[0] if len(candidates) == 1 else name
        progress, text = ledger.progress(run), ledger.plan(run)
    except BrokerError as error:
        say(f"mo-testplan: {error.message} Looking into the history only.")
        return None
    if progress is None or text is None:
        return None
    plan = loads(text)
    return summary_of(ledger, progress, plan.id), plan


def open_store(config: Settings) -> Any:  # noqa: ANN401 - Store is imported lazily by its package
    """The history."""
    return Store(config.store_url)
