"""``mo-testplan cases compare --pairs FILE.jsonl``: do the two texts of each pair test the same?

Each line is an object with ``id``, ``a`` and ``b``, and perhaps ``context_a`` and ``context_b``: DDL that only gives
names their types.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.cases.dedup import compare_texts
from orchestrator.cli import output
from orchestrator.domain.errors import EXIT_PASSED, BadCaseError
from orchestrator.domain.shown import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--pairs", metavar="FILE", required=True, help="JSON lines of pairs; - is standard input")
    parser.add_argument("--format", choices=("jsonl", "text"), default="text")


def run(args: argparse.Namespace) -> int:
    """Print a row a pair, in their order."""
    for pair in _pairs(args.pairs):
        verdict = compare_texts(pair["a"], pair["b"], pair.get("context_a") or "", pair.get("context_b") or "")
        if args.format == "jsonl":
            row = {
                "id": pair["id"],
                "duplicate": verdict.duplicate,
                "level": verdict.level,
                "differs_in": list(verdict.differs_in),
            }
            line = json.dumps(row, ensure_ascii=False)
        else:
            differs = f": {', '.join(verdict.differs_in)}" if verdict.differs_in else ""
            line = printable(f"{pair['id']}: {verdict.level}{differs}")
        sys.stdout.buffer.write(f"{line}\n".encode("utf-8", "surrogatepass"))
    return EXIT_PASSED


def _pairs(name: str) -> Iterator[dict[str, Any]]:
    """The pairs of a file. Raises BadCaseError where a line is none."""
    if name == "-" and sys.stdin is None:
        raise BadCaseError("standard input is closed", "Pipe pairs into this command, or name their file.")
    try:
        content = output.piped("pairs", BadCaseError) if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise BadCaseError(f"{name} cannot be read: {error.strerror}", "Name a file of JSON lines.") from error
    for number, line in enumerate(content.decode("utf-8", "replace").split("\n"), 1):
        if line.strip():
            yield _pair(line, f"{name}:{number}")


def _pair(line: str, where: str) -> dict[str, Any]:
    try:
        pair = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadCaseError(f"{where}: not JSON: {error}", "Each line is one JSON object.") from error
    if not isinstance(pair, dict) or "id" not in pair or not {"a", "b"} <= pair.keys():
        raise BadCaseError(f"{where}: no pair", 'Each line has "id", "a" and "b".')
    contexts = (pair.get("context_a") or "", pair.get("context_b") or "")
    if any(not isinstance(text, str) for text in (pair["a"], pair["b"], *contexts)):
        raise BadCaseError(f"{where}: a text that is none", '"a", "b" and the contexts are strings.')
    return pair
