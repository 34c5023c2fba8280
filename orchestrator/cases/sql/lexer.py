"""SQL text as tokens: one compiled regular expression, linear in the length of any text.

Every repetition is possessive, so nothing is ever tried twice: an unterminated string or comment reaches to the end of
the text, and a NUL or a lone surrogate is a token like any other. What counts as a comment follows MatrixOne's scanner
(pkg/sql/parsers/dialect/mysql/scanner.go at 7c27538): ``#`` and ``//`` to the end of the line, ``--`` only before white
space (``5--1`` is a subtraction) and, as MySQL has it, before other control characters. Hints, ``/*+ … */`` and
``/*! … */``, are no comments: their words are tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Loops over alternatives are `(?>(?:…)*)`, see orchestrator/cases/quoting.py.
_QUOTED_NAME = r"`(?>(?:[^`]++|``)*)`?+"
_STRINGS = r"""'(?>(?:[^'\\]++|''|\\.?)*)'?+|"(?>(?:[^"\\]++|""|\\.?)*)"?+|\$\$(?>(?:[^$]++|\$(?!\$))*)(?:\$\$)?+"""
#: A script's tags (``-- @sortkey:0``, ``--- @metacmp(true)``) are comments even where SQL would see a subtraction.
_TAGS = r"^[ \t]*+--(?:-|[ \t]*+@)[^\n]*+"
_COMMENTS = r"--(?=[\x00-\x20\x7f]|\Z)[^\n]*+|\#[^\n]*+|//[^\n]*+|/\*(?![!+])(?>(?:[^*]++|\*(?!/))*)(?:\*/)?+"

#: A word carries the parenthesis that follows it: ``count(`` is a call, ``count`` is not.
_TOKEN = re.compile(
    rf"""[(),;=]
    |[xXbB]'[^']*+'?+
    |[^\W\d][\w$]*+(?:[ \t\r\n]*+\()?+
    |(?:0[xX][0-9a-fA-F]++|0[bB][01]++|(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][+-]?+\d++)?+)(?:[\w$]++)?+
    |{_STRINGS}
    |{_QUOTED_NAME}(?:[ \t\r\n]*+\()?+
    |@@?+[\w$.]*+
    |/\*[!+]\d*+|\*/
    |<=>|<>|!=|<=|>=|:=|\|\||&&|<<|>>|->>?+|::
    |[^ \t\r\n\f\v]""",
    re.DOTALL | re.VERBOSE,
)
_COMMENT_OR_STRING = re.compile(
    rf"({_STRINGS}|{_QUOTED_NAME})|{_TAGS}|{_COMMENTS}", re.DOTALL | re.VERBOSE | re.MULTILINE
)

_END = (";",)
#: All tokens of a text without comments, in order. White space outside strings separates and is no token.
tokenize = _TOKEN.findall


def without_comments(text: str) -> str:
    """``text`` with each comment made one blank. Comments hold no SQL; what looks like one in a string stays."""
    if "--" in text or "/*" in text or "#" in text or "//" in text:
        return _COMMENT_OR_STRING.sub(_keep_string, text)
    return text


def _keep_string(match: re.Match[str]) -> str:
    return match[1] or " "


def requoted(text: str) -> str:
    """``text`` with its ``$$…$$`` strings between single quotes."""
    return _COMMENT_OR_STRING.sub(_requote, text)


def _requote(match: re.Match[str]) -> str:
    found = match[0]
    if not found.startswith("$$"):
        return found
    body = found[2:-2] if len(found) > 3 and found.endswith("$$") else found[2:]
    return "'" + body.replace("\\", "\\\\").replace("'", "''") + "'"


def split_statements(text: str) -> Iterator[list[str]]:
    """The tokens of each statement of ``text`` that has any: a ``;`` outside strings and comments ends one."""
    tokens = tokenize(without_comments(text))
    count = tokens.count(";")
    if count == 0 or (count == 1 and tokens[-1] == ";"):
        if len(tokens) > count:
            yield tokens[:-1] if count else tokens
        return
    begun: list[str] = []
    for token in tokens:
        if token not in _END:
            begun.append(token)
        elif begun:
            yield begun
            begun = []
    if begun:
        yield begun
