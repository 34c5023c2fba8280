"""Say where a run stands: verdict or progress, what failed and how to run it by hand."""

from __future__ import annotations

import argparse

from orchestrator.cli import edge
from orchestrator.cli.run import report
from orchestrator.domain.errors import EXIT_PASSED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``status``."""
    parser.add_argument("run", metavar="RUN", help="a run's id, or the beginning of one")
    parser.add_argument("--exit-code", action="store_true", help="end with the run's own exit code")
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Print the run's summary as it stands."""
    code = report(edge.settings(), args.run, args.format)
    return code if args.exit_code else EXIT_PASSED
