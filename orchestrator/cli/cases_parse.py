"""``mo-testplan cases parse DIR``: every script, one JSON object (or one line of words) each."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from orchestrator.cases.discover import find_scripts, read_text
from orchestrator.cases.rows import script_row
from orchestrator.cases.script import Problem, Script, database_of, parse_script
from orchestrator.domain.errors import EXIT_PASSED, BadCaseError
from orchestrator.domain.shown import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("path", metavar="DIR", type=Path, help="a directory of scripts, or one script")
    parser.add_argument("--ignore-issues", action="store_true", help="honour -- @bvt:issue#N marks")
    parser.add_argument("--format", choices=("jsonl", "text"), default="text")


def run(args: argparse.Namespace) -> int:
    """Print the scripts in the order of their paths. 0 even where a script has a problem: its row says so."""
    for _, script in read_scripts(args.path, ignore_issues=args.ignore_issues):
        write_line(script_row(script) if args.format == "jsonl" else _words(script))
    return EXIT_PASSED


def read_scripts(root: Path, *, ignore_issues: bool) -> Iterator[tuple[Path, Script]]:
    """The scripts under ``root``, in the order of their paths, which start at the name of ``root``.

    Yields the directory the paths start from with each. An unreadable script has no commands and a problem. Raises
    BadCaseError where there are none.
    """
    base = root.resolve().parent
    spelled = sorted((str(path.relative_to(base)), path) for path in find_scripts(base / root.resolve().name))
    if not spelled:
        raise BadCaseError(f"there is no script in {root}", "Scripts are files that end in .sql or .test.")
    for name, path in spelled:
        try:
            yield base, parse_script(read_text(path), name, ignore_issues=ignore_issues)
        except BadCaseError as error:
            problem = Problem(name, 0, "", error.message)
            yield base, Script(name, (), use_db=database_of(name), problems=(problem,))


def write_line(line: str) -> None:
    """``line`` to standard output as UTF-8, whatever the locale says."""
    sys.stdout.buffer.write(f"{line}\n".encode("utf-8", "surrogateescape"))


def _words(script: Script) -> str:
    head = f"{script.path}: {len(script.commands)} commands{', skipped' if script.skipped else ''}"
    return "\n  ".join(map(printable, [head, *map(str, script.problems)]))
