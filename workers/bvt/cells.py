"""Are two cells the same? mo-tester's answer, which is lenient with numbers.

Numbers are compared as Java prints their doubles: the finer one is rounded to the coarser one's last
digit, so an expected 10 equals a BIGINT 14; what remains may differ by 9e-7, or by one part in 1e15 of the expected
number - of the number, not of its magnitude, so that a negative expectation equals anything.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Context, Decimal

from workers.bvt.javadouble import java_decimal

# java.sql.Types
BIGINT, DECIMAL, FLOAT, REAL, DOUBLE, VARCHAR = -5, 3, 6, 7, 8, 12
_LENIENT = frozenset({FLOAT, REAL, DOUBLE, DECIMAL, BIGINT})

#: mo-tester's ``[+-]*\d+\.?\d*[Ee]*[+-]*\d+|[-+]?[.\d]*``, written so that a text of many digits is read once.
_NUMERIC_LOOKING = re.compile(r"[+-]*(?:\d\d+|\d+\.\d+|\d+(?:\.\d*)?(?:[Ee]+[+-]*|[+-]+)\d+)|[-+]?[.\d]*", re.ASCII)
#: What ``Double.valueOf`` takes, after `trim`: decimal or hexadecimal, with an optional type letter.
_JAVA_DECIMAL = re.compile(r"[\x00-\x20]*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?[\x00-\x20]*", re.ASCII)
_JAVA_HEXADECIMAL = re.compile(
    r"[\x00-\x20]*([+-]?0[xX](?:[0-9a-fA-F]+\.?|[0-9a-fA-F]*\.[0-9a-fA-F]+)[pP][+-]?\d+)[fFdD]?[\x00-\x20]*", re.ASCII
)
_CONTEXT = Context(prec=60, rounding=ROUND_HALF_UP)
_ABSOLUTE_TOLERANCE = Decimal("9E-7")


class NotANumberError(ValueError):
    """A cell of a numeric column is no finite number; mo-tester crashes there."""


def cells_equal(expected: str, actual: str, type_: int) -> bool:
    """Whether the cells agree; ``type_`` is the actual column's java.sql.Types number and NULL is the text ``null``.

    Raises `NotANumberError`.
    """
    if expected == actual:
        return True
    nulls = (_is_null(expected), _is_null(actual))
    if any(nulls):
        return all(nulls)
    if type_ in _LENIENT or (type_ == VARCHAR and _looks_numeric(expected) and _looks_numeric(actual)):
        return _numbers_equal(java_double(expected), java_double(actual))
    return False


def _is_null(text: str) -> bool:
    return len(text) == 4 and text.lower() == "null"


def _looks_numeric(text: str) -> bool:
    return bool(text) and _NUMERIC_LOOKING.fullmatch(text) is not None


def java_double(text: str) -> Decimal:
    """``text`` as ``Double.valueOf`` reads it and ``Double.toString`` prints it, without zeros at the end."""
    if match := _JAVA_DECIMAL.fullmatch(text):
        value = float(match[1])
    elif match := _JAVA_HEXADECIMAL.fullmatch(text):
        value = _from_hex(match[1])
    else:
        raise NotANumberError(f"{text[:80]!r} is not a number")
    if not math.isfinite(value):
        raise NotANumberError(f"{text[:80]!r} is beyond the range of a double")
    return java_decimal(value)


def _from_hex(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return math.inf


def _numbers_equal(expected: Decimal, actual: Decimal) -> bool:
    if expected == actual:
        return True
    if not expected or not actual:
        return False
    exponents = (expected.as_tuple().exponent, actual.as_tuple().exponent)
    coarser = Decimal((0, (1,), max(map(int, exponents))))
    expected, actual = _CONTEXT.quantize(expected, coarser), _CONTEXT.quantize(actual, coarser)
    if expected == actual:
        return True
    if not expected or not actual:
        return False
    difference = abs(_CONTEXT.subtract(expected, actual))
    # The quotient, rounded half up at 15 digits, is at most 1e-15 if and only if it is below 1.5e-15.
    return difference <= _ABSOLUTE_TOLERANCE or expected < 0 or difference / expected < Decimal("1.5E-15")
