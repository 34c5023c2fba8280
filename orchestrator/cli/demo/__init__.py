"""See the whole job on a small Go project, with nothing to set up and nothing left afterwards.

A pull request breaks one rule, in Go and in SQL. The demo plans its tests, runs them on two workers, shows the Go test
and the SQL statement that fail and the message a WeCom group would get, applies a fix, and runs again what failed.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from orchestrator.cli import checks, life
from orchestrator.cli.demo.report import write_report
from orchestrator.cli.demo.stage import PROFILE, stage
from orchestrator.cli.demo.story import Story
from orchestrator.cli.demo.tell import Teller
from orchestrator.domain.errors import ToolMissingError, UsageError
from orchestrator.settings import settings_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``demo``."""
    parser.add_argument("--report", metavar="FILE", help="also write what happened as JSON")
    parser.add_argument("--keep", action="store_true", help="leave the repository, the history and the logs")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="worker processes (default 2)")


def run(args: argparse.Namespace) -> int:
    """Play it; 0 when the pull request ends green, 4 when interrupted, 3 when this host cannot."""
    if args.workers < 1:
        raise UsageError("--workers takes a number from 1 on", "Two is a good number.")
    report = _writable(args.report)
    _require()
    began, tell = time.monotonic(), Teller()
    with life.ended_by_signals(), stage(workers=args.workers, keep=args.keep) as scene:
        story = Story(scene, tell)
        first = story.first_run()
        second = story.second_run(first)
        if report is not None:
            write_report(report, first, second, scene.wecom.messages)
        if args.keep:
            tell.kept(scene)
    tell.end(second, time.monotonic() - began, report)
    return second.summary.state.exit_code


def _writable(name: str | None) -> Path | None:
    """The report's file: a wrong name is told now, not after half a minute. Nothing is written yet."""
    if name is None:
        return None
    path = Path(name)
    target = path if path.exists() else path.parent
    if path.is_dir() or not path.parent.is_dir() or not os.access(target, os.W_OK):
        raise UsageError(f"cannot write the report {name}", "Name a file in a folder that this user may write.")
    return path


def _require() -> None:
    """Raise when this host lacks a part, naming all that are missing."""
    host = checks.Host(settings_from({}), PROFILE)
    found = [checks.git(host), checks.go(host), checks.embedded_redis(host), checks.embedded_sql(host)]
    missing = [check for check in found if not check.ok]
    if missing:
        raise ToolMissingError(
            "the demo cannot play here: " + "; ".join(f"{check.name}: {check.found}" for check in missing),
            "\n  ".join(check.remedy for check in missing),
        )


__all__ = ["add_arguments", "run"]
