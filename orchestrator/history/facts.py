"""What a change is, as far as history and text can speak of it: files, functions, words, strings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.diff.outline import changed_in_lines
from orchestrator.history.words import code_words, literals, path_words, text_words

#: No file's diff speaks with more lines than this: beyond it, it is generated or moved.
_MOST_LINES = 3000


@dataclass(slots=True)
class FileLines:
    """The lines of one file that a diff takes out and puts in, and the headings of its hunks; all undecoded."""

    deleted: list[bytes] = field(default_factory=list)
    added: list[bytes] = field(default_factory=list)
    headings: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Facts:
    """A change to production files. Dictionaries hold how often something is in the changed lines."""

    files: tuple[str, ...]
    #: ``package:Func`` or ``package:Receiver.Method``.
    functions: tuple[str, ...] = ()
    words: dict[str, int] = field(default_factory=dict)
    #: Words of deleted and added string literals: messages, keywords, names.
    strings: dict[str, int] = field(default_factory=dict)
    #: Words of paths and function names.
    names: dict[str, int] = field(default_factory=dict)
    lines: int = 0


def make_facts(files: Iterable[str], changed: dict[str, FileLines]) -> Facts:
    """The facts of a change to ``files``, of some of which the lines are known."""
    paths = tuple(sorted(set(files)))
    functions: set[str] = set()
    words: dict[str, int] = {}
    strings: dict[str, int] = {}
    lines = 0
    for path in paths:
        of_file = changed.get(path)
        if of_file is None:
            continue
        lines += len(of_file.deleted) + len(of_file.added)
        if lines_of(of_file) > _MOST_LINES:
            continue
        package = path.rpartition("/")[0]
        functions |= {
            f"{package}:{name}" for name in changed_in_lines(of_file.headings, of_file.deleted + of_file.added)
        }
        text = [line.decode("utf-8", "replace")[:1000] for line in of_file.deleted + of_file.added]
        _add(words, code_words(text))
        for literal in literals(text):
            _add(strings, text_words(literal))
    names = path_words([*paths, *(name.partition(":")[2] for name in functions)])
    return Facts(paths, tuple(sorted(functions)), words, strings, names, lines)


def lines_of(file: FileLines) -> int:
    """How many lines of the file change."""
    return len(file.deleted) + len(file.added)


def _add(counts: dict[str, int], more: dict[str, int]) -> None:
    for word, count in more.items():
        counts[word] = counts.get(word, 0) + count
