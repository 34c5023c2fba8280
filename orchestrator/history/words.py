"""Words of code and of SQL in one spelling, so that ``IntersectAll``, ``intersect_all`` and ``INTERSECT ALL`` meet.

A word is lower case without underscores. Of an identifier its parts count, each pair of neighbouring parts, and the
whole; of a SQL text each word, its parts, and each pair of neighbouring words.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,63}")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LITERAL = re.compile(r'"((?:[^"\\\n]|\\.){3,200})"')
_SYMBOL = re.compile(r"(?<![\w.])(?:[a-z]\w*\.)?[A-Z]\w*")
_NAME = re.compile(r"\"([a-z]\w{1,60})\"")
_SHORTEST, _LONGEST = 3, 40

#: Words that say nothing of what Go code is about.
_GO = frozenset(
    [
        "break",
        "case",
        "chan",
        "const",
        "continue",
        "default",
        "defer",
        "else",
        "fallthrough",
        "for",
        "func",
        "goto",
        "import",
        "interface",
        "map",
        "package",
        "range",
        "return",
        "select",
        "struct",
        "switch",
        "type",
        "var",
        "nil",
        "true",
        "false",
        "err",
        "error",
        "string",
        "int",
        "uint",
        "bool",
        "byte",
        "len",
        "make",
        "append",
        "new",
        "ctx",
        "context",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float32",
        "float64",
        "fmt",
        "this",
        "that",
        "the",
        "and",
        "not",
        "with",
    ]
)


@lru_cache(maxsize=1 << 17)
def identifier_words(identifier: str) -> tuple[str, ...]:
    """The words of one identifier: parts, pairs of parts, the whole; without those of the language."""
    parts = [part.lower() for part in _PART.findall(identifier)]
    found = dict.fromkeys(part for part in parts if len(part) >= _SHORTEST and not part.isdigit())
    if len(parts) > 1:
        found.update(dict.fromkeys(one + two for one, two in itertools.pairwise(parts)))
        found["".join(parts)] = None
    return tuple(word for word in found if _SHORTEST <= len(word) <= _LONGEST and word not in _GO)


def code_words(lines: Iterable[str]) -> dict[str, int]:
    """How often each word is in lines of code."""
    return _words_of(_IDENTIFIER.findall("\n".join(lines)))


def literals(lines: Iterable[str]) -> list[str]:
    """The double-quoted strings of lines of code, without their quotes."""
    return _LITERAL.findall("\n".join(lines))


def code_symbols(package: str, lines: Iterable[str]) -> set[str]:
    """Exported names in lines of code of a package (its name), alone and with the package's, and names in quotes."""
    code = "\n".join(lines)
    found = set(_SYMBOL.findall(code))
    return found.union((f"{package}.{symbol}" for symbol in found if "." not in symbol), _NAME.findall(code))


def text_words(text: str) -> dict[str, int]:
    """How often each word, part of a word and pair of words is in a SQL text or its result."""
    counts: dict[str, int] = {}
    before = ""
    for identifier in _IDENTIFIER.findall(text):
        word = identifier.replace("_", "").lower()
        counts[word] = counts.get(word, 0) + 1
        if before and len(before) + len(word) <= _LONGEST:
            pair = before + word
            counts[pair] = counts.get(pair, 0) + 1
        before = word
        if "_" in identifier:
            for part in identifier_words(identifier):
                if part != word:
                    counts[part] = counts.get(part, 0) + 1
    return counts


def path_words(names: Iterable[str]) -> dict[str, int]:
    """The words of paths and of function names: the words of every part that is an identifier."""
    return _words_of(identifier for name in names for identifier in _IDENTIFIER.findall(name))


def _words_of(identifiers: Iterable[str]) -> dict[str, int]:
    """How often each of their words is in identifiers, in the order of the first."""
    counts: dict[str, int] = {}
    for identifier, times in Counter(identifiers).items():
        for word in identifier_words(identifier):
            counts[word] = counts.get(word, 0) + times
    return counts
