"""``mo-testplan cases similar FILE:LINE``: what in a tree resembles the statement that ends on a line."""

from __future__ import annotations

import argparse
import heapq
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from orchestrator.cases.dedup import Verdict, common_share, compare
from orchestrator.cases.discover import find_scripts, read_text
from orchestrator.cases.fingerprint import Typed
from orchestrator.cases.fingerprint_script import Placed, Reader, ReadScript
from orchestrator.cases.script import parse_script
from orchestrator.domain.errors import EXIT_PASSED, BadCaseError
from orchestrator.domain.options import positive
from orchestrator.domain.shown import printable

#: Of the number of a line.
_DIGITS = 9
#: Statements with fewer codes in common are not looked at further.
_LEAST = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("place", metavar="FILE:LINE", help="a script and a line on which a statement stands")
    parser.add_argument(
        "--against", metavar="DIR", type=Path, help="the tree to look in; without, the script's directory"
    )
    parser.add_argument("--limit", metavar="N", type=positive, default=10)
    parser.add_argument("--format", choices=("jsonl", "text"), default="text")


def run(args: argparse.Namespace) -> int:
    """Print the most similar statements, the most similar first, one of each shape."""
    path, line = _place(args.place)
    reader = Reader()
    wanted = _statement(reader.read(parse_script(read_text(path), str(path))), path, line)
    tree = args.against or path.parent
    for score, spot, verdict, times in _ranked(reader, tree, path, wanted, args.limit):
        if args.format == "jsonl":
            row = {"place": spot, "level": verdict.level, "similarity": round(score, 3), "times": times}
            text = json.dumps(row | {"differs_in": list(verdict.differs_in)}, ensure_ascii=False)
        else:
            differs = f"; differs in {', '.join(verdict.differs_in)}" if verdict.differs_in else ""
            text = printable(f"{score:.0%} {verdict.level} {spot} ({times} of this shape){differs}")
        sys.stdout.buffer.write(f"{text}\n".encode("utf-8", "replace"))
    return EXIT_PASSED


def _place(text: str) -> tuple[Path, int]:
    name, _, line = text.rpartition(":")
    if not name or not line.isdecimal() or len(line) > _DIGITS:
        raise BadCaseError(f"{text} is not FILE:LINE", "For example: cases/join/join.sql:12")
    return Path(name), int(line)


def _statement(script: ReadScript, path: Path, line: int) -> Placed:
    """The statement that ends on ``line``, or the next one after it."""
    for placed in script.statements:
        if placed.line >= line:
            return placed
    raise BadCaseError(f"{path} has no statement on line {line} or below", "Name a line of a statement.")


def _ranked(
    reader: Reader, tree: Path, own: Path, wanted: Placed, limit: int
) -> Iterator[tuple[float, str, Verdict, int]]:
    best: dict[bytes, tuple[float, str, Typed]] = {}
    times: Counter[bytes] = Counter()
    scores: dict[bytes, float] = {}
    mine = wanted.typed
    for path in find_scripts(tree):
        try:
            script = reader.read(parse_script(read_text(path), str(path)))
        except BadCaseError as error:
            sys.stderr.write(f"mo-testplan: {printable(error.message)}\n")
            continue
        for typed, line, _ in script.statements:
            if line == wanted.line and path.resolve() == own.resolve():
                continue
            if typed.digest not in scores:
                scores[typed.digest] = common_share([mine.statement.shape.codes], [typed.statement.shape.codes])
            times[typed.digest] += 1
            if scores[typed.digest] >= _LEAST:
                best.setdefault(typed.digest, (scores[typed.digest], f"{path}:{line}", typed))
    for score, spot, typed in heapq.nlargest(limit, best.values(), key=lambda entry: entry[0]):
        yield score, spot, compare([mine], [typed]), times[typed.digest]
