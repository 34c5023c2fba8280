r"""JDBC escape sequences: what Connector/J rewrites in a statement before it is sent.

Cases are recorded through JDBC, so ``{d '2024-01-01'}``, ``{ts '…'}``, ``{t '…'}`` and ``{fn now()}`` reach the
server in its own words. Source: com.mysql.cj ``EscapeProcessor`` and ``EscapeTokenizer`` (8.0.15); calls and
conversions, which no case uses, are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

_NOTABLE = re.compile(r"\\.|--[^\n\r]*[\n\r]?|''|\"\"|['\"{}]", re.DOTALL)
_TIMESTAMP = re.compile(r"\s*(\d{4}-\d{1,2}-\d{1,2}) (\d{1,2}:\d{1,2}:\d{1,2})(?:\.(\d{1,9}))?\s*")
#: ``serverTimezone=Asia/Shanghai`` of mo.yml: the driver reads a literal as this host's time and sends the server's.
_SERVER_ZONE = timezone(timedelta(hours=8))


class EscapeError(ValueError):
    """A sequence that JDBC refuses; the message is Connector/J's."""


def unescape(sql: str) -> str:
    """``sql`` with its escape sequences rewritten. Raises EscapeError."""
    start = sql.find("{")
    if start < 0 or sql.find("}", start) < 0:
        return sql
    return "".join(_rewritten(token) if token.startswith("{") else token for token in _tokens(sql))


def _tokens(sql: str) -> Iterator[str]:
    """``sql`` cut at its outermost braces outside quotes."""
    begin, depth, quote = 0, 0, ""
    for match in _NOTABLE.finditer(sql):
        mark = match.group()
        if mark in ("''", '""'):
            if not quote or quote == mark[0]:
                continue
        elif mark in ("'", '"'):
            quote = "" if quote == mark else quote or mark
        elif quote:
            continue
        elif mark == "{":
            depth += 1
            if depth == 1:
                yield sql[begin : match.start()]
                begin = match.start()
        elif mark == "}":
            depth -= 1
            if depth == 0:
                yield sql[begin : match.end()]
                begin = match.end()
    yield sql[begin:]


def _rewritten(token: str) -> str:
    if not token.endswith("}"):
        raise EscapeError(f"Not a valid escape sequence: {token}")
    nested = token.find("{", 2)
    if nested != -1:
        token = "{" + unescape(token[1:-1]) + "}"
    collapsed = "".join(token.split()).lower()
    if collapsed.startswith("{fn") and (start := token.lower().find("fn ")) >= 0:
        return token[start + 3 : -1]
    if collapsed.startswith(("{d", "{t")) and not collapsed.startswith("{escape"):
        return _temporal(token, collapsed)
    return token


def _temporal(token: str, collapsed: str) -> str:
    begin, end = token.find("'") + 1, token.rfind("'")
    if end < 0:
        return token
    argument = token[begin:end]
    if collapsed.startswith("{d"):
        parts = [part for part in re.split("[ -]", argument) if part]
        if len(parts) < 3:
            raise EscapeError(f"Syntax error for DATE escape sequence '{argument}'")
        return "'" + "-".join(parts[:3]) + "'"
    if collapsed.startswith("{ts"):
        return _timestamp(argument)
    parts = [part for part in re.split("[ :.]", argument) if part]
    if len(parts) < 3:
        raise EscapeError(f"Syntax error for escape sequence '{argument}'")
    return f"'{':'.join(parts[:3])}{'.' + parts[3] if len(parts) > 3 else ''}'"


def _timestamp(argument: str) -> str:
    match = _TIMESTAMP.fullmatch(argument)
    if match is None:
        raise EscapeError(f"Syntax error for TIMESTAMP escape sequence '{argument}'.")
    date, time, fraction = match.groups()
    micros = int((fraction or "").ljust(6, "0")[:6])
    try:
        parts = [int(part) for part in (*date.split("-"), *time.split(":"))]
        there = datetime(*parts, micros).astimezone(_SERVER_ZONE)  # type: ignore[arg-type, call-arg]
    except (ValueError, OverflowError) as error:
        raise EscapeError(f"Syntax error for TIMESTAMP escape sequence '{argument}'.") from error
    tail = f".{micros:06d}".rstrip("0") if micros else ""
    return f"'{there:%Y-%m-%d %H:%M:%S}{tail}'"
