"""Literals by class: two of one class make the same test, whatever they are; one at an edge is its own class.

A number's class holds zero, one, the edges of 8, 16, 24, 32 and 64 bits, the scale, the exponent's sign and more than
nine digits. A string's holds empty, blank, numeric, date (with its edges), JSON, what its characters need to be stored,
and a length that no short column takes. Each function is linear in the length of its text.
"""

from __future__ import annotations

import re

_EDGES = {2 ** (bits - signed) + step for bits in (8, 16, 24, 32, 64) for signed in (0, 1) for step in (-1, 0, 1)}
#: 2^7+1 and its like are the first values below the signed range, as the sign is a token of its own.
_KEPT = {str(edge) for edge in _EDGES | {0, 1}}
_BIG = tuple(sorted(_EDGES))
#: The digits that a number of 32 bits, a decimal of 64 and of 128 bits hold.
_DECIMAL_EDGES = (9, 18, 38)

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\Z")
_DATE = re.compile(
    r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,2})"
    r"(?:([ T]+)(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d*)?)?)?([Zz]|[+-]\d\d:?\d\d)?\Z"
)
_TIME = re.compile(r"-?\d{1,3}:\d{1,2}(?::\d{1,2}(?:\.\d*)?)?\Z")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_EDGE_YEARS = {0, 1, 1000, 1900, 1901, 1969, 1970, 2038, 9999}
_MONTH_DAYS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_NUMERIC_STARTS = frozenset("+-.0123456789")
_ONE_DIGIT = re.compile(r"\d")
#: What a string must hold on its own: quotes, and what ends or comments a statement.
_SIGNIFICANT = frozenset("'\"`;#")
_LONG = 255
#: Values that a text column takes as they are and that other columns, or functions, give a meaning of their own.
_MEANINGFUL = {"true", "false", "null", "nan", "inf", "+inf", "-inf", "infinity", "-infinity"}


def number_class(text: str) -> str:
    """The class of a number literal without sign, in lower case: ``0``, ``127``, ``n``, ``d2`` (two decimals) …"""
    if text.isdecimal():
        return _integer_class(text)
    if text[:2] in ("0x", "0b"):
        return f"{text[:2]}{len(text) - 2}{'z' if not text[2:].strip('0') else ''}"
    mantissa, exponent, power = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    if not _NUMBER.match(text):
        return text
    digits = len(whole.lstrip("0"))
    size = f"b{sum(digits > edge for edge in _DECIMAL_EDGES)}" if digits > 9 else "" if digits else "z"
    scale = f"d{len(fraction)}{_zeros(fraction)}" if "." in mantissa else "i"
    return f"{size}{scale}{_exponent_class(power) if exponent else ''}"


def _zeros(fraction: str) -> str:
    """Whether a fraction is zero, or ends in so many zeros that they were meant."""
    kept = fraction.rstrip("0")
    return "z" if not kept else "t" if len(fraction) - len(kept) > 2 else ""


def is_number(text: str) -> bool:
    """Whether ``text`` is a decimal number, with or without a sign."""
    return _NUMBER.match(text) is not None


def is_half(text: str) -> bool:
    """Whether ``text`` is a number that rounding has to decide about: 2.5, 0.50."""
    return text.partition(".")[2].rstrip("0") == "5"


def _integer_class(digits: str) -> str:
    value = digits.lstrip("0") or "0"
    if value in _KEPT:
        return value if value == digits else f"0{value}"
    if len(value) <= 9:
        return "n" if value == digits else "0n"
    if len(value) > 20:
        return f"n{len(value)}"
    return f"b{sum(int(value) > edge for edge in _BIG)}"


def _exponent_class(power: str) -> str:
    sign = "-" if power.startswith("-") else ""
    digits = power.lstrip("+-0")
    return f"e{sign}{digits if len(digits) > 2 else 'n' * len(digits)}"


def string_class(body: str) -> str:  # noqa: PLR0911 - one a class
    """The class of a string literal by what stands between its quotes, escapes as written."""
    if len(body) >= _LONG:
        return f"long{sum(len(body) > size for size in (255, 256, 4096, 65534, 65535, 65536))}"
    if not body:
        return "''"
    if not body.strip():
        return f"blank{len(body)}"
    lowered = body.lower()
    if lowered in _MEANINGFUL:
        return lowered
    if "%" in body or body.startswith(("$", "/", "./", "stage:", "s3:", "file:", "http")):
        return body  # a pattern, a format, a path: it means itself
    if body.isascii() and body.isalpha():
        return "w"
    return _structured(body) or _text(body)


def _structured(body: str) -> str:
    if body[0] in "{[":
        return "json" + _DIGITS.sub(lambda match: number_class(match[0]), body)
    stripped = body.strip()
    if stripped[0] not in _NUMERIC_STARTS:
        return "uuid" if _UUID.match(stripped) else ""
    margin = "" if stripped == body else "~"
    if _NUMBER.match(stripped):
        sign = stripped[0] if stripped[0] in "+-" else ""
        return f"{margin}num{sign}{number_class(stripped.lstrip('+-').lower())}"
    date = _DATE.match(stripped)
    if date:
        return margin + _date_class(stripped, date)
    if _TIME.match(stripped):
        return f"{margin}time{_clock_class(stripped)}"
    return "uuid" if _UUID.match(stripped) else ""


def _date_class(text: str, date: re.Match[str]) -> str:
    year, month, day = (int(part) for part in date.groups()[:3])
    clock = tuple(int(part or 0) for part in date.groups()[4:7])
    known = 1 <= month <= 12 and 1 <= day <= _MONTH_DAYS[month] and clock < (24,) and max(clock[1:]) < 60
    if not known or year in _EDGE_YEARS or clock == (23, 59, 59):
        return f"date{text}"
    head, tail = text[: date.end(3)], text[date.end(3) :]
    return f"date{_ONE_DIGIT.sub('9', head)}{_clock_class(tail)}"


def _clock_class(text: str) -> str:
    """The digits of a time of day as 9, and whether it is midnight and its fraction is zero."""
    whole, _, fraction = text.partition(".")
    midnight = "m" if whole and not whole.strip(" T:0Z") else ""
    return f"{_ONE_DIGIT.sub('9', text)}{midnight}{'z' if fraction and not fraction.strip('0') else ''}"


def is_date(text: str) -> bool:
    """Whether ``text`` is written as a date, with or without a time of day."""
    return _DATE.match(text.strip()) is not None


def date_edge(text: str) -> str:
    """Which edge of the calendar the date ``text`` is: of a year, of a month, of a leap year's February; or none."""
    date = _DATE.match(text.strip())
    if date is None:
        return ""
    month, day = int(date[2]), int(date[3])
    if (month, day) in ((1, 1), (12, 31), (2, 28), (3, 1)):
        return f"{month}.{day}"
    return "first" if day == 1 else "last" if 1 <= month <= 12 and day == _MONTH_DAYS[month] else ""


def _text(body: str) -> str:
    """What a string of no known form asks of the column that stores it."""
    widest = max(body)
    parts = ["w"]
    if widest > "\x7f":
        parts.append("u2" if widest < "\u0800" else "u3" if widest < "\U00010000" else "u4")
    if "\\" in body:
        parts.append("\\" + "".join(sorted(set(re.findall(r"\\(.?)", body, re.DOTALL)))))
    if not _SIGNIFICANT.isdisjoint(body) or "--" in body or "/*" in body:
        parts.append("q")
    if any(character < " " for character in body):
        parts.append("c")
    if body != body.strip():
        parts.append("~")
    if not any(character.isalnum() for character in body):
        parts.append("p")
    elif body[0].isdigit() and not any(character.isalpha() or character == " " for character in body):
        parts.append("9")
    return "".join(parts)
