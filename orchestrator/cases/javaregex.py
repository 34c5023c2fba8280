r"""Java regular expressions (``java.util.regex``, JDK 17) read as Python ones, and searched for a bounded time.

What differs is rewritten: named groups, ``\Q..\E``, ``\h \R \z \Z``, POSIX classes, and ``.`` and ``$`` with Java's
line ends. ``\d \w \s`` are ASCII in Java, hence `re.ASCII`. What has no counterpart is refused: class intersection
(``[a&&b]``), nested classes, Unicode properties, flags in mid-pattern.

A script's author writes the pattern and a server the text, and some pairs take longer than the universe lasts: the
engine is the library `regex`, which can be told when to stop.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex

_LINE_END = r"(?:\r\n|[\n\r\x85\u2028\u2029])"
_BLANKS = r" \t\xA0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000"
#: ``\p{..}`` as the inside of a Python class.
_PROPERTIES = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": r" \t\n\x0b\f\r",
}
_ESCAPES = {
    "h": f"[{_BLANKS}]",
    "R": r"(?:\r\n|[\n\x0b\f\r\x85\u2028\u2029])",
    "z": r"\Z",
    "Z": rf"(?={_LINE_END}?\Z)",
    "e": r"\x1b",
}
_ESCAPES_IN_CLASS = {"h": _BLANKS, "e": r"\x1b"}
_SAME_ESCAPES = frozenset("dDwWsSbBtnrfaAxu123456789")
_TOKEN = re.compile(
    r"""\\Q(?P<literal>.*?)(?:\\E|\Z)
      | \\p\{(?P<property>[^}]*)\}
      | \\k<(?P<reference>\w+)>
      | \\(?P<escape>.)
      | \(\?<(?P<group>[A-Za-z]\w*)>
      | (?P<open>\[\^?\]?)
      | (?P<times>\{\d+(?:,\d*)?\})
      | (?P<brace>\{)
      | (?P<other>&&|.)""",
    re.DOTALL | re.VERBOSE,
)


#: Parts a pattern may have once every ``{n}`` is laid out, as the engine does: each takes some 300 bytes.
MOST_PARTS = 20_000
#: Seconds a search may take. Those in use take microseconds.
SEARCH_TIMEOUT = 2.0


class UnsupportedRegexError(ValueError):
    """The pattern is wrong, or uses what has no counterpart here."""


class EndlessRegexError(ValueError):
    """The search did not end in time: the pattern backtracks without bound on this text."""


@lru_cache(maxsize=128)
def compile_java(pattern: str) -> regex.Pattern[str]:
    """``pattern`` compiled. Raises `UnsupportedRegexError` with the reason."""
    import regex

    try:
        return regex.compile(translate(pattern), regex.ASCII | regex.V0)
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        raise UnsupportedRegexError(str(error)) from error


def found(pattern: str, text: str, *, whole: bool = False, timeout: float = SEARCH_TIMEOUT) -> bool:
    """Whether ``pattern`` is somewhere in ``text`` (``find``), or matches the ``whole`` of it (``matches``).

    Raises `UnsupportedRegexError`, and `EndlessRegexError` after ``timeout`` seconds.
    """
    compiled = compile_java(pattern)
    look = compiled.fullmatch if whole else compiled.search
    try:
        return look(text, concurrent=True, timeout=timeout) is not None
    except TimeoutError as error:
        raise EndlessRegexError(
            f"the pattern {pattern[:80]!r} is still searched for after {timeout:g} s: it backtracks without bound"
        ) from error


def translate(pattern: str) -> str:
    """``pattern`` in Python's syntax. Raises `UnsupportedRegexError` where there is none."""
    flags = re.match(r"\(\?[ims]+\)", pattern)
    dotall = flags is not None and "s" in flags.group()
    multiline = flags is not None and "m" in flags.group()
    start = flags.end() if flags else 0
    python, in_class, size = [flags.group() if flags else ""], False, _Size()
    for token in _TOKEN.finditer(pattern, start):
        kind, value = token.lastgroup, token[token.lastgroup or 0]
        if not in_class:
            size.add(kind, value)
        if kind == "literal":
            python.append(re.escape(value))
        elif kind == "property":
            python.append(_property(value, in_class=in_class))
        elif kind == "escape":
            python.append(_escape(value, in_class=in_class))
        elif in_class:
            in_class = value != "]"
            python.append(_in_class(token.group()))
        elif kind == "open":
            in_class = True
            python.append(value.replace("]", r"\]"))
        elif kind == "brace":
            raise UnsupportedRegexError(f"illegal repetition near index {token.start()}")
        elif kind == "times":
            python.append(value)
        elif kind == "other":
            python.append(_other(value, dotall=dotall, multiline=multiline))
        else:
            python.append(f"(?P={value})" if kind == "reference" else f"(?P<{value}>")
    return "".join(python)


class _Size:
    """Counts the parts of a pattern. Whoever writes a script writes it, and ``a{2147483647}`` would take all memory."""

    def __init__(self) -> None:
        self._groups = [0]
        self._last = 0

    def add(self, kind: str | None, value: str) -> None:
        """Count one more token. Raises `UnsupportedRegexError` when there are too many."""
        if kind == "times":
            least = value[1:-1].partition(",")[0].lstrip("0")
            self._groups[-1] += self._last * (int(least[:10] or 0) - 1)
        elif kind == "group" or (kind == "other" and value == "("):
            self._groups.append(0)
        else:
            closes = kind == "other" and value == ")" and len(self._groups) > 1
            self._last = self._groups.pop() if closes else len(value) if kind == "literal" else 1
            self._groups[-1] += self._last
        if self._groups[-1] > MOST_PARTS:
            raise UnsupportedRegexError(f"the pattern has more than {MOST_PARTS} parts, each repetition counted")


def _property(name: str, *, in_class: bool) -> str:
    inside = _PROPERTIES.get(name)
    if inside is None:
        raise UnsupportedRegexError(f"the character property {name!r} is not known here")
    return inside if in_class else f"[{inside}]"


def _escape(char: str, *, in_class: bool) -> str:
    special = (_ESCAPES_IN_CLASS if in_class else _ESCAPES).get(char)
    if special is not None:
        return special
    if char in _SAME_ESCAPES:
        return f"\\{char}"
    if char.isascii() and char.isalnum():
        raise UnsupportedRegexError(f"illegal or unsupported escape sequence \\{char}")
    return re.escape(char)


def _in_class(text: str) -> str:
    if text == "&&" or text.startswith("["):
        raise UnsupportedRegexError("nested character classes are not known here")
    return rf"\{text}" if text in {"&", "~", "|"} else text


def _other(char: str, *, dotall: bool, multiline: bool) -> str:
    if char == "." and not dotall:
        return r"[^\n\r\x85\u2028\u2029]"
    if char == "$":
        return rf"(?={_LINE_END}|\Z)" if multiline else rf"(?={_LINE_END}?\Z)"
    return char
