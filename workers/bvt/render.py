"""Values and column metadata as Connector/J 8.0.15 shows them to mo-tester (``getString``, ``ResultSetMetaData``).

Every recorded expectation was made through that driver, so its quirks are the format: FLOAT as Java prints a double, a
year as the first of January, nine digits of fraction, the sign of a TIME lost where its hour is 0.
Source: com.mysql.cj ``MysqlTextValueDecoder``, ``StringValueFactory``, ``NativeProtocol.findMysqlType``,
``ResultSetMetaData.getPrecision``; every rule is checked against the driver's own answers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial

from orchestrator.cases.expectation import Column, ResultSet
from workers.bvt.charsets import BINARY_COLLATION, charset_of
from workers.bvt.javadouble import java_decimal
from workers.bvt.wire import Field, Reply

#: Protocol types (``enum_field_types``).
DECIMAL, TINY, SHORT, LONG, FLOAT, DOUBLE, NULL, TIMESTAMP, LONGLONG, INT24 = range(10)
DATE, TIME, DATETIME, YEAR, VARCHAR, BIT = 10, 11, 12, 13, 15, 16
JSON, NEWDECIMAL, ENUM, SET = 245, 246, 247, 248
TINY_BLOB, MEDIUM_BLOB, LONG_BLOB, BLOB, VAR_STRING, STRING, GEOMETRY = range(249, 256)
UNSIGNED, BINARY_FLAG = 32, 128

#: Protocol type → java.sql.Types, where neither flags nor length matter.
_JDBC = {
    DECIMAL: 3, NEWDECIMAL: 3, TINY: -6, SHORT: 5, LONG: 4, INT24: 4, LONGLONG: -5, FLOAT: 7, DOUBLE: 8, NULL: 0,
    TIMESTAMP: 93, DATETIME: 93, DATE: 91, YEAR: 91, TIME: 92, BIT: -7, JSON: -1, ENUM: 1, SET: 1, GEOMETRY: -2,
}  # fmt: skip
#: Whose precision is a number of digits, and whose scale counts.
_NUMERIC = frozenset((DECIMAL, NEWDECIMAL, TINY, SHORT, LONG, INT24, LONGLONG, FLOAT, DOUBLE, BIT))
_INTEGERS = frozenset((TINY, SHORT, LONG, INT24, LONGLONG))
_STRINGS = {STRING: (1, -2), VARCHAR: (12, -3), VAR_STRING: (12, -3)}
#: Type of a text and of a blob. BLOB itself is told apart by length; 255 bytes are a TINY_BLOB.
_BLOBS = {TINY_BLOB: (12, -3), MEDIUM_BLOB: (-1, -4), LONG_BLOB: (-1, -4), BLOB: (-1, -4)}
_OTHER = 1111
_MAX_INT = 0x7FFFFFFF

Decoder = Callable[[bytes], str]


class BadValueError(ValueError):
    """A value that is not of its column's type: Connector/J breaks off the fetch there."""


@lru_cache(maxsize=4096)
def column_of(field: Field) -> Column:
    """The label and metadata Connector/J reports of ``field``."""
    jdbc, is_blob = _jdbc_type(field)
    length = min(field.length, _MAX_INT)
    if field.type in _NUMERIC:
        return Column(field.label, jdbc, length + _digits(field), field.decimals)
    return Column(field.label, jdbc, length if is_blob else length // charset_of(field.collation).max_bytes, 0)


def result_of(reply: Reply) -> tuple[ResultSet, str | None]:
    """``reply`` rendered, and why rendering broke off, if it did; the set then holds the rows before."""
    fields = reply.fields or ()
    decoders = [decoder_of(field) for field in fields]
    rows: list[list[str | None]] = []
    broken = None
    try:
        for raw in reply.rows:
            rows.append([None if cell is None else decode(cell) for decode, cell in zip(decoders, raw, strict=True)])
    except ValueError as error:
        broken = str(error)
    return ResultSet(tuple(map(column_of, fields)), rows), broken


@lru_cache(maxsize=4096)
def decoder_of(field: Field) -> Decoder:
    """What turns a raw value of ``field`` into text. Raises ValueError where Connector/J cannot read the value."""
    kind = field.type
    if kind in _INTEGERS:
        return _integer_decoder(kind, unsigned=bool(field.flags & UNSIGNED))
    if kind in _DECODERS:
        return _DECODERS[kind]
    codec = "utf-8" if kind == JSON else charset_of(field.collation).codec
    return partial(str, encoding=codec, errors="replace")


def _jdbc_type(field: Field) -> tuple[int, bool]:
    """The java.sql.Types number, and whether Connector/J takes it for one of its BLOB types."""
    kind = field.type
    if kind == TINY and field.length == 1:
        return -7, False  # tinyInt1isBit
    if kind in _JDBC:
        return _JDBC[kind], False
    binary = bool(field.flags & BINARY_FLAG) and field.collation == BINARY_COLLATION
    if kind in _STRINGS:
        return _STRINGS[kind][binary and not field.table.startswith("#sql_")], False
    if kind in _BLOBS:
        if kind == BLOB and field.length <= 255:
            kind = TINY_BLOB
        return _BLOBS[kind][binary], binary
    return _OTHER, False


def _digits(field: Field) -> int:
    """What the protocol's length has beyond the digits: a sign, a point; FLOAT and DOUBLE count one more."""
    point = -1 if field.decimals > 0 else 0
    if field.type in (FLOAT, DOUBLE):
        return point + 1
    signed_decimal = field.type in (DECIMAL, NEWDECIMAL) and not field.flags & UNSIGNED
    return point - signed_decimal if field.type in (DECIMAL, NEWDECIMAL) else point


def java_double(number: float) -> str:
    """``Double.toString``: at least one digit after the point, scientific below 1e-3 and from 1e7 on."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    digits = java_decimal(number)
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        text = format(digits, "f")
        return text if "." in text else f"{text}.0"
    sign, figures, exponent = digits.as_tuple()
    first, *rest = map(str, figures)
    return f"{'-' if sign else ''}{first}.{''.join(rest) or '0'}E{len(rest) + int(exponent)}"


_INFINITE = re.compile(rb"[+-]?(?:Infinity|NaN)|[^a-zA-Z]*(?:[eE][^a-zA-Z]*)?[dDfF]?")


def _floating(raw: bytes) -> str:
    if not _INFINITE.fullmatch(raw):
        raise BadValueError(f'For input string: "{raw.decode("latin-1")}"')
    return java_double(float(raw.rstrip(b"dDfF") if raw[-1:].isalpha() and raw[-1:] in b"dDfF" else raw))


def _integer_decoder(kind: int, *, unsigned: bool) -> Decoder:
    """Java reads into an int or a long as the type says, and refuses what does not fit: some servers send such."""
    if kind == LONGLONG:
        return _unbounded if unsigned else partial(_bounded, bits=64, name="long")
    if kind == LONG and unsigned:
        return partial(_bounded, bits=64, name="long")
    return partial(_bounded, bits=32, name="integer")


def _unbounded(raw: bytes) -> str:
    return str(int(raw))


def _bounded(raw: bytes, bits: int, name: str) -> str:
    number = int(raw)
    if number.bit_length() >= bits and number != -1 << (bits - 1):
        raise BadValueError(f"Invalid {name} format for value '{raw.decode('latin-1')}'")
    return str(number)


def _decimal(raw: bytes) -> str:
    try:
        number = Decimal(raw.decode("ascii"))
    except InvalidOperation as error:
        raise BadValueError(f"{raw!r} is not a DECIMAL") from error
    return str(number).replace("-", "", 1) if number.is_zero() and number.is_signed() else str(number)


_DATE_FORM = re.compile(rb"\d{4}-\d\d-\d\d")
_TIMESTAMP_FORM = re.compile(rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,6}|\d{9}))?")
_TIME_FORM = re.compile(rb"(-?)(\d+):(\d\d):(\d\d)(?:\.(\d*))?")


def _date(raw: bytes) -> str:
    if not _DATE_FORM.fullmatch(raw):
        raise BadValueError(f"Invalid length ({len(raw)}) for type DATE")
    return raw.decode("ascii")


def _timestamp(raw: bytes) -> str:
    match = _TIMESTAMP_FORM.fullmatch(raw)
    if match is None:
        raise BadValueError(f"Invalid length ({len(raw)}) for type TIMESTAMP")
    return match[1].decode("ascii") + _fraction(match[2])


def _time(raw: bytes) -> str:
    match = _TIME_FORM.fullmatch(raw)
    if match is None or not 8 <= len(raw) <= 17:
        raise BadValueError(f"Invalid length ({len(raw)}) for type TIME")
    hours = -int(match[2]) if match[1] else int(match[2])
    return f"{hours:02d}:{match[3].decode()}:{match[4].decode()}" + _fraction(match[5])


def _fraction(digits: bytes | None) -> str:
    """Nanoseconds in nine digits, and nothing at all when they are zero."""
    return "." + digits.decode("ascii").ljust(9, "0") if digits and digits.strip(b"0") else ""


def _year(raw: bytes) -> str:
    year = int(raw)
    if year < 100:
        year += 2000 if year <= 69 else 1900
    return f"{year:04d}-01-01"


def _bit(raw: bytes) -> str:
    return str(int.from_bytes(raw, "big"))


_DECODERS: dict[int, Decoder] = {
    FLOAT: _floating,
    DOUBLE: _floating,
    DECIMAL: _decimal,
    NEWDECIMAL: _decimal,
    DATE: _date,
    TIMESTAMP: _timestamp,
    DATETIME: _timestamp,
    TIME: _time,
    YEAR: _year,
    BIT: _bit,
}
