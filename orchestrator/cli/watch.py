"""Follow a run until it ends: bars a suite, failures as they come. Ctrl-C stops watching, not the run."""

from __future__ import annotations

import argparse

from orchestrator.cli import edge
from orchestrator.cli.run import follow, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``watch``."""
    edge.add_run(parser)
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Watch; the exit code is the verdict."""
    config = edge.settings()
    summary, plan = edge.find_run(config, args.run)
    if summary.state.final:
        return tell(summary, plan, args.format)
    return follow(config, summary.run, plan, args.format)
