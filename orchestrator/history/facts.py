"""What a change is, as far as history and text can speak of it: files, functions, words, strings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.diff.outline import changed_in_lines
from orchestrator.domain.change import DiffSummary, FileLines
from orchestrator.history.words import code_symbols, code_words, literals, path_words, text_words

#: No file's diff speaks with more lines than this: beyond it, it is generated or moved.
_MOST_LINES = 3000
#: Of a longer line the rest is data.
_LONGEST_LINE = 1000


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
    #: Exported names (``ErrDivByZero``, ``function.ABS``) and names in quotes, of lines that not only moved; sorted.
    symbols: tuple[str, ...] = ()


def make_facts(files: Iterable[str], changed: Mapping[str, FileLines], functions: Iterable[str] | None = None) -> Facts:
    """The facts of a change to ``files``, of some of which the lines are known.

    ``functions`` (``package:Func``) are those known from somewhere better than the lines.
    """
    paths = tuple(sorted(set(files)))
    words: dict[str, int] = {}
    strings: dict[str, int] = {}
    found: set[str] = set()
    symbols: set[str] = set()
    read = {path: changed[path] for path in paths if path in changed}
    for path, of_file in read.items():
        if lines_of(of_file) > _MOST_LINES:
            continue
        changed_lines = of_file.deleted + of_file.added
        package = path.rpartition("/")[0]
        found |= {f"{package}:{name}" for name in changed_in_lines(of_file.headings, changed_lines)}
        text = [line.decode("utf-8", "replace")[:_LONGEST_LINE] for line in changed_lines]
        _add(words, code_words(text))
        symbols |= code_symbols(package.rpartition("/")[2], _alone(of_file))
        for literal in literals(text):
            _add(strings, text_words(literal))
    known = sorted(set(functions) if functions is not None else found)
    names = path_words([*paths, *(name.partition(":")[2] for name in known)])
    return Facts(paths, tuple(known), words, strings, names, sum(map(lines_of, read.values())), tuple(sorted(symbols)))


def facts_of(change: DiffSummary, is_production: Callable[[str], bool]) -> Facts:
    """The facts of a change that a diff was read into."""
    files = [file for file in change.files if is_production(file.path)]
    functions = [f"{file.package}:{name}" for file in files for name in file.functions]
    paths = [path for file in files for path in (file.path, file.old_path) if path]
    return make_facts(paths, {file.path: file.lines for file in files if file.lines}, functions)


def lines_of(file: FileLines) -> int:
    """How many lines of the file change."""
    return len(file.deleted) + len(file.added)


def _alone(file: FileLines) -> list[str]:
    """The lines that are on one side only: one on both was moved, or aligned anew."""
    deleted, added = ({b" ".join(line.split()) for line in side} for side in (file.deleted, file.added))
    return [line.decode("utf-8", "replace")[:_LONGEST_LINE] for line in deleted ^ added]


def _add(counts: dict[str, int], more: dict[str, int]) -> None:
    for word, count in more.items():
        counts[word] = counts.get(word, 0) + count
