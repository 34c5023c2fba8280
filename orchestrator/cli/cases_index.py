"""``mo-testplan cases index DIR``: bring the index of a tree of scripts up to date."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from pathlib import Path

from orchestrator.cases.corpus import Corpus, Refreshed
from orchestrator.domain.errors import EXIT_PASSED
from orchestrator.domain.shown import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("root", metavar="DIR", type=Path, help="a directory of scripts")
    add_index_option(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")


def add_index_option(parser: argparse.ArgumentParser) -> None:
    """Declare where the index lies."""
    parser.add_argument("--index", metavar="FILE", type=Path, help="keep the index here, not in the cache directory")


def run(args: argparse.Namespace) -> int:
    """Refresh the index; say what was read."""
    index = index_of(args.root, args.index)
    corpus, done = open_corpus(args.root, args.index)
    corpus.close()
    if args.format == "json":
        counts = {"scripts": done.scripts, "read": done.read, "removed": done.removed, "unread": len(done.unread)}
        words = str(counts).replace("'", '"')  # not worth loading a JSON library for
    else:
        words = f"{done.scripts} scripts: {done.read} read, {done.removed} gone; index {index}"
    sys.stdout.write(f"{words}\n")
    return EXIT_PASSED


def open_corpus(root: Path, index: Path | None) -> tuple[Corpus, Refreshed]:
    """The index of ``root``, up to date; what was wrong with it is told on standard error."""
    corpus, done = Corpus.open(root, index_of(root, index))
    for words in (*corpus.warnings, *(f"{path} cannot be read" for path in done.unread)):
        sys.stderr.write(f"mo-testplan: {printable(words)}\n")
    return corpus, done


def index_of(root: Path, index: Path | None) -> Path:
    """Where the index of ``root`` lies: in the user's cache directory, a file for each directory."""
    if index is not None:
        return index
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    name = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:16]
    return Path(cache, "mo-testplan", f"cases-{name}.db")
