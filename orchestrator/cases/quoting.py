r"""Where a statement ends: quotes, comments and the delimiter within one line.

mo-tester walks each line by character, and the whole statement again for each of its lines. Here the state of the
quotes is carried from line to line, and a line is read by a few regular expressions, in linear time.

Within single quotes ``''`` is a pair and a backslash hides the next character, save before two quotes: in ``\''`` it
hides both, but only the first when ``)`` or ``;`` follows, or a comma that ends its line. Within double quotes a
backslash hides the next character. Backticks mean nothing.
"""

from __future__ import annotations

import re

from orchestrator.cases.javatext import WHITESPACE_IN_LINE

# Atomic groups, not possessive loops over groups: Python before 3.11.5 matches those wrongly (python/cpython#106052).
_SINGLE = rf"(?>(?:[^'\\]++|''|\\''(?![);]|,[{WHITESPACE_IN_LINE}]*+\Z)|\\.?)*)'"
_DOUBLE = r'(?>(?:[^"\\]++|\\.?)*)"'
_LITERAL = rf"'{_SINGLE}|\"{_DOUBLE}"

_CLOSE = {"'": re.compile(_SINGLE, re.DOTALL), '"': re.compile(_DOUBLE, re.DOTALL)}
_TO_COMMENT = re.compile(rf"(?>(?:[^'\"\-]++|-(?!-)|{_LITERAL})*)", re.DOTALL)
_TO_OPEN_QUOTE = re.compile(rf"(?>(?:[^'\"]++|{_LITERAL})*)", re.DOTALL)
_LITERALS = re.compile(_LITERAL, re.DOTALL)


def _end_of(match: re.Match[str] | None) -> int:
    return match.end() if match else -1


def _in_literal(line: str, start: int, position: int) -> bool:
    for literal in _LITERALS.finditer(line, start):
        if literal.start() > position:
            return False
        if position < literal.end():
            return True
    return False


def scan_line(line: str, quote: str) -> tuple[bool, str]:
    """Whether ``line`` completes the statement, and else the quote open after it.

    ``line`` is trimmed, ``quote`` the one open before it: ``'``, ``"`` or empty. The *last* ``;`` before a ``--``
    comment counts; one further left does not help when that one is quoted. A comment's quotes count for later lines.
    """
    start = 0
    if quote:
        start = _end_of(_CLOSE[quote].match(line))
        if start < 0:
            return False, quote
    end = _end_of(_TO_COMMENT.match(line, start))
    commented = line.startswith("--", end)
    delimiter = line.rfind(";", 0, end if commented else len(line))
    if start <= delimiter < end:
        tail = line[delimiter:end]
        if not ("'" in tail or '"' in tail) or not _in_literal(line, start, delimiter):
            return True, ""
    if commented:
        end = _end_of(_TO_OPEN_QUOTE.match(line, end))
    return False, line[end : end + 1]
