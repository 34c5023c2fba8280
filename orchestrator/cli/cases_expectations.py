"""``mo-testplan cases expectations DIR``: what the result files expect, one JSON object (or line of words) a script."""

from __future__ import annotations

import argparse
from pathlib import Path

from orchestrator.cases.discover import find_result, read_text
from orchestrator.cases.expectation import Expectation, MismatchError, split_expectations
from orchestrator.cases.rows import expectations_row
from orchestrator.cases.script import Script
from orchestrator.cli.cases_parse import add_arguments, read_scripts, write_line
from orchestrator.domain.errors import EXIT_PASSED, BadCaseError
from orchestrator.domain.shown import printable

__all__ = ["add_arguments", "run"]


def run(args: argparse.Namespace) -> int:
    """Print the expectations in the order of the scripts' paths. 0 even where a result file is missing or wrong."""
    for base, script in read_scripts(args.path, ignore_issues=args.ignore_issues):
        result_file, expectations, message = load(script, base)
        if args.format == "jsonl":
            write_line(expectations_row(script, result_file, expectations, message=message))
        else:
            sets = sum(expectation.text is not None for expectation in expectations)
            words = message or f"{len(expectations)} commands, {sets} with a result"
            write_line(printable(f"{script.path}: {words}"))
    return EXIT_PASSED


def load(script: Script, base: Path) -> tuple[str | None, tuple[Expectation, ...], str | None]:
    """The result file of ``script`` (relative to ``base``), its expectations, and what is wrong with it."""
    result_file = find_result(script.path, base)
    if result_file is None:
        return None, (), "Result file not found"
    try:
        return result_file, split_expectations(script, read_text(base / result_file)), None
    except MismatchError as error:
        return result_file, (), error.message
    except BadCaseError as error:
        return result_file, (), f"Failed to read result file: {error.message}"
