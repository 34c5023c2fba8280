"""SQL text as tokens: one compiled regular expression, linear in the length of any text.

Every repetition is possessive, so nothing is ever tried twice: an unterminated string or comment reaches to the end of
the text, and a NUL or a lone surrogate is a token like any other. What counts as a comment follows MatrixOne's scanner
(pkg/sql/parsers/dialect/mysql/scanner.go at 7c27538): ``#`` and ``//`` to the end of the line, ``--`` only before white
space (``5--1`` is a subtraction). Hints, ``/*+ … */`` and ``/*! … */``, are no comments: their words are tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_STRINGS = r"""'(?:[^'\\]++|''|\\.?)*+'?+|"(?:[^"\\]++|""|\\.?)*+"?+|`(?:[^`]++|``)*+`?+|\$\$(?:[^$]++|\$(?!\$))*+(?:\$\$)?+"""
_COMMENTS = r"--(?=[ \t\r\n]|\Z)[^\n]*+|\#[^\n]*+|//[^\n]*+|/\*(?![!+])(?:[^*]++|\*(?!/))*+(?:\*/)?+"

#: A word carries the parenthesis that follows it: ``count(`` is a call, ``count`` is not.
_TOKEN = re.compile(
    rf"""[xXbB]'[^']*+'?+
    |[^\W\d][\w$]*+(?:[ \t\r\n]*+\()?+
    |(?:0[xX][0-9a-fA-F]++|0[bB][01]++|(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][+-]?+\d++)?+)(?:[\w$]++)?+
    |{_STRINGS}
    |@@?+[\w$.]*+
    |/\*[!+]\d*+|\*/
    |<=>|<>|!=|<=|>=|:=|\|\||&&|<<|>>|->>?+|::
    |[^ \t\r\n\f\v]""",
    re.DOTALL | re.VERBOSE,
)
_COMMENT_OR_STRING = re.compile(rf"({_STRINGS})|{_COMMENTS}", re.DOTALL | re.VERBOSE)

#: All tokens of a text without comments, in order. White space outside strings separates and is no token.
tokenize = _TOKEN.findall


def without_comments(text: str) -> str:
    """``text`` with each comment made one blank. Comments hold no SQL; what looks like one in a string stays."""
    if "--" in text or "/*" in text or "#" in text or "//" in text:
        return _COMMENT_OR_STRING.sub(_keep_string, text)
    return text


def _keep_string(match: re.Match[str]) -> str:
    return match[1] or " "


def split_statements(text: str) -> Iterator[list[str]]:
    """The tokens of each statement of ``text``: a ``;`` outside strings and comments ends one. Empty ones are left out."""
    begun: list[str] = []
    for token in tokenize(without_comments(text)):
        if token != ";":
            begun.append(token)
        elif begun:
            yield begun
            begun = []
    if begun:
        yield begun
