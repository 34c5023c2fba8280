"""``mo-testplan cases dedup PATH… --against DIR``: which new scripts repeat what is tested already, and where."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from orchestrator.cases.dedup_search import Finding, Search
from orchestrator.cases.discover import find_scripts, read_text
from orchestrator.cli.cases_index import add_index_option, open_corpus
from orchestrator.cli.output import in_utf8
from orchestrator.domain.errors import EXIT_FAILED, EXIT_PASSED, BadCaseError
from orchestrator.domain.shown import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("paths", metavar="PATH", type=Path, nargs="+", help="a new script, or a directory of them")
    parser.add_argument("--against", metavar="DIR", type=Path, help="the tree that holds what is tested already")
    parser.add_argument("--fail-on-duplicate", action="store_true", help="exit 1 when a script or block is a duplicate")
    parser.add_argument("--statements", action="store_true", help="tell of single statements, too")
    parser.add_argument("--format", choices=("jsonl", "text"), default="text")
    add_index_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print what was found; a repeated statement alone is no duplicate."""
    if args.format == "jsonl":
        in_utf8()
    corpus = open_corpus(args.against, args.index)[0] if args.against else None
    search = Search(corpus)
    duplicates = statements = repeated = 0
    for path in _scripts(args.paths):
        script = search.read(read_text(path), str(path))
        statements += len(script.statements)
        for finding in search.look_up(script, _own_path(path, args.against)):
            if finding.kind == "statement":
                repeated += 1
            else:
                duplicates += finding.duplicate
            if finding.kind != "statement" or args.statements:
                sys.stdout.write((_row(finding) if args.format == "jsonl" else _words(finding)) + "\n")
    if args.format == "text":
        sys.stdout.write(f"{duplicates} duplicates; {repeated} of {statements} statements are tested already\n")
    return EXIT_FAILED if duplicates and args.fail_on_duplicate else EXIT_PASSED


def _scripts(paths: Sequence[Path]) -> Iterator[Path]:
    """The scripts below ``paths``, each once: PATHs may overlap."""
    seen: set[Path] = set()
    for root in paths:
        found = list(find_scripts(root))
        if not found:
            raise BadCaseError(f"there is no script in {root}", "Scripts are files that end in .sql or .test.")
        for path in found:
            if (place := path.absolute()) not in seen:
                seen.add(place)
                yield path


def _own_path(path: Path, tree: Path | None) -> str:
    """The path of a script in the tree it is compared with, as the index spells it; empty outside."""
    if tree is None:
        return ""
    here, root = os.path.realpath(path), os.path.realpath(tree)
    if not here.startswith(root + os.sep):
        return ""
    return os.fsencode(os.path.relpath(here, root)).decode("utf-8", "replace")


def _row(finding: Finding) -> str:
    return json.dumps(asdict(finding) | {"duplicate": finding.duplicate}, ensure_ascii=False)


def _words(finding: Finding) -> str:
    same = {
        "exact": "is the same as",
        "shape": "tests the same as",
        "reorder": "tests the same, in another order, as",
    }.get(finding.level, "is a variant of")
    often = f" ({finding.times} times there)" if finding.times > 1 else ""
    differs = f"; differs in {', '.join(finding.differs_in)}" if finding.differs_in else ""
    lines = f"{finding.line}-{finding.last_line}" if finding.line != finding.last_line else f"{finding.line}"
    return printable(f"{finding.path}:{lines}: this {finding.kind} {same} {finding.existing}{often}{differs}")
