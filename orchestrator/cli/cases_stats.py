"""``mo-testplan cases stats DIR``: how redundant a tree of scripts is, and what could go."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

from orchestrator.cases.corpus import Corpus
from orchestrator.cases.discover import read_text
from orchestrator.cases.redundancy import Family, Group, Level, by_directory, families, groups, levels
from orchestrator.cases.script import parse_script
from orchestrator.cli.cases_index import add_index_option, open_corpus
from orchestrator.cli.output import in_utf8
from orchestrator.domain.errors import EXIT_PASSED, BadCaseError
from orchestrator.domain.options import positive
from orchestrator.domain.shown import printable

_BAR = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("root", metavar="DIR", type=Path, help="a directory of scripts")
    parser.add_argument("--top", metavar="N", type=positive, default=10, help="how many families and groups to show")
    parser.add_argument(
        "--picture", metavar="FILE", type=Path, help="draw the directories into this .svg or .html file"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_index_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print the report, and draw it where asked."""
    corpus, _ = open_corpus(args.root, args.index)
    directories = by_directory(corpus)
    if args.picture is not None:
        _draw(args.picture, str(args.root), directories)
    found = groups(corpus)
    common = families(corpus, args.top)
    if args.format == "json":
        report = {
            "levels": [asdict(level) | {"share": round(level.share, 4)} for level in levels(corpus)],
            "directories": [asdict(level) for level in directories],
            "families": [asdict(family) | {"sql": _text_at(corpus, family)} for family in common],
            "groups": [asdict(group) for group in found],
        }
        in_utf8()
        sys.stdout.write(json.dumps(report, ensure_ascii=False) + "\n")
    else:
        for line in _report(corpus, directories, common, found, args.top):
            sys.stdout.buffer.write(f"{printable(line)}\n".encode("utf-8", "replace"))
    return EXIT_PASSED


def _report(
    corpus: Corpus, directories: Sequence[Level], common: Sequence[Family], found: Sequence[Group], top: int
) -> Iterator[str]:
    for level in levels(corpus):
        yield f"{level.name:<20} {_bar(level.share)} {level.distinct} of {level.total} ({level.share:.1%})"
    yield ""
    yield "statements of a shape of their own, by directory:"
    for level in directories[:top]:
        yield f"{level.name[:20]:<20} {_bar(level.share)} {level.distinct} of {level.total} ({level.share:.1%})"
    yield ""
    yield "the most repeated statements:"
    for family in common:
        words = _text_at(corpus, family)[:80]
        yield f"{family.times:>7} times in {family.scripts:>4} scripts  {words}  ({family.place})"
    yield ""
    yield f"scripts that test the same, biggest saving first ({len(found)} groups):"
    for group in found[:top]:
        yield f"{group.saving} statements could go: {', '.join(group.scripts[:6])}"
        for one in group.evidence[:3]:
            yield f"    {one.repeats} repeats {one.kept} ({one.statements} statements)"


def _bar(share: float) -> str:
    filled = round(share * _BAR)
    return "█" * filled + "░" * (_BAR - filled)


def _text_at(corpus: Corpus, family: Family) -> str:
    path, _, line = family.place.rpartition(":")
    try:
        script = parse_script(read_text(corpus.root / path), path)
    except BadCaseError:
        return ""
    return next((" ".join(command.sql.split()) for command in script.commands if command.line == int(line)), "")


def _draw(file: Path, title: str, directories: Sequence[Level]) -> None:
    """The directories as bars: all statements, and in front those of a shape of their own."""
    widest = max((level.total for level in directories), default=1)
    ordered = sorted(directories, key=lambda level: -level.total)
    rows = []
    for number, level in enumerate(ordered):
        y = 40 + number * 20
        name = escape(level.name)
        rows.append(
            f'<text x="190" y="{y + 12}" text-anchor="end">{name}</text>'
            f'<rect x="200" y="{y}" width="{600 * level.total / widest:.1f}" height="15" fill="#d9dee7"/>'
            f'<rect x="200" y="{y}" width="{600 * level.distinct / widest:.1f}" height="15" fill="#3267b1"/>'
            f'<text x="{206 + 600 * level.total / widest:.1f}" y="{y + 12}">{level.distinct} of {level.total}</text>'
        )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="960" height="{60 + 20 * len(ordered)}" '
        f'font-family="sans-serif" font-size="12"><text x="10" y="20" font-size="15">{escape(title)}: '
        f"statements, and in front those of a shape of their own</text>{''.join(rows)}</svg>"
    )
    page = svg if file.suffix.lower() != ".html" else f"<!doctype html><meta charset=utf-8><title>Cases</title>{svg}"
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise BadCaseError(
            f"{file} cannot be written: {error.strerror}", "Name a file in a directory of yours."
        ) from error
