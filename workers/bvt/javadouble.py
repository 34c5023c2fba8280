"""The decimal digits Java gives a double: ``Double.toString`` up to JDK 18, which is not always the shortest form.

Written after ``jdk.internal.math.FloatingDecimal.BinaryToASCIIBuffer.dtoa`` (OpenJDK 17): whole numbers below 2^63 are
printed from their exact value, others by Steele and White's algorithm with a symmetric stopping test, which gives up
to two digits more than needed. JDK 19 replaced it.
"""

from __future__ import annotations

import math
from decimal import Decimal

_FRACTION_BITS = 52
_BITS_OF_LONG = 63


def java_decimal(value: float) -> Decimal:
    """A finite ``value`` as ``Double.toString`` prints it, without zeros at the end."""
    shortest = Decimal(repr(value)).normalize()
    if not value or (len(shortest.as_tuple().digits) <= 15 and -30 <= shortest.adjusted() < 16):
        return shortest  # seen to agree, over millions of random numbers
    digits, power = java_digits(value)
    return Decimal((int(value < 0), tuple(map(int, digits)), power - len(digits) + 1))


def java_digits(value: float) -> tuple[str, int]:
    """The digits of ``abs(value)`` and the power of ten of the first: 28392432.0 is ``("28392432", 7)``.

    ``value`` is finite and not zero; no zeros at the end.
    """
    mantissa, exponent = math.frexp(abs(value))
    bits = int(mantissa * (1 << _FRACTION_BITS + 1))  # 53 bits, the first of them set
    binary = exponent - 1  # the number is 1.xxx * 2^binary
    significant = _FRACTION_BITS + 1 if binary >= -1022 else _FRACTION_BITS + 1 - (-1022 - binary)
    tail = (bits & -bits).bit_length() - 1
    fraction = _FRACTION_BITS + 1 - tail
    tiny = max(0, fraction - binary - 1)  # bits right of the point
    if tiny == 0 and -21 <= binary < _BITS_OF_LONG:
        return _from_long(bits, binary, significant)
    digits, power = _steele_white(bits >> tail, binary, fraction, tiny, significant)
    return digits.rstrip("0") or "0", power


def _from_long(bits: int, binary: int, significant: int) -> tuple[str, int]:
    """A whole number that fits in 63 bits: its exact digits, less those the mantissa cannot tell apart."""
    shift = binary - _FRACTION_BITS
    number = bits << shift if shift >= 0 else bits >> -shift
    unsure = binary - significant - 1
    dropped = len(str(1 << unsure)) - 1 if unsure > 1 else 0
    if dropped:
        number, rest = divmod(number, 10**dropped)
        number += rest * 2 >= 10**dropped
    text = str(number)
    return text.rstrip("0"), len(text) - 1 + dropped


def _decimal_exponent(bits: int, binary: int) -> int:
    """``estimateDecExp``: exact, or one too high."""
    first = bits / (1 << bits.bit_length() - 1)
    return math.floor((first - 1.5) * 0.289529654 + 0.176091259 + binary * 0.301029995663981)


def _steele_white(bits: int, binary: int, fraction: int, tiny: int, significant: int) -> tuple[str, int]:
    """Digits of ``numerator / scale * 10^power``, until what is left is less than half the gap to the next double."""
    power = _decimal_exponent(bits, binary)
    five_up, five_down = max(0, -power), max(0, power)
    two_up, two_down = five_up + tiny + binary, five_down + tiny
    two_gap = two_up - significant
    two_up -= fraction - 1
    common = min(two_up, two_down)
    two_up, two_down, two_gap = two_up - common, two_down - common, two_gap - common
    if fraction == 1:
        two_gap -= 1
    if two_gap < 0:
        two_up, two_down, two_gap = two_up - two_gap, two_down - two_gap, 0
    numerator = bits * 5**five_up << two_up
    scale = 5**five_down << two_down
    gap = 5**five_up << two_gap
    size = max(_bits(fraction + two_up, five_up), _bits(two_down + 1, five_down + 1))
    return _digits(numerator, scale, gap, power, width=32 if size < 32 else 64 if size < 64 else 0)


def _bits(two: int, five: int) -> int:
    """How many bits ``2^two * 5^five`` is held to take; the table Java looks it up in ends at 5^27."""
    return two + ((5**five).bit_length() if five < 28 else five * 3)


def _digits(numerator: int, scale: int, gap: int, power: int, *, width: int) -> tuple[str, int]:
    """``width``: of the integers Java computes with, 0 for big ones. ``gap`` overflows as it does there."""
    tens, digits, begun = scale * 10, "", False
    low = high = False
    while not (low or high):
        digit, rest = divmod(numerator, scale)
        numerator, gap = rest * 10, _wrapped(gap * 10, width)
        low = numerator < gap
        high = numerator + gap >= tens if width == 0 else _wrapped(numerator + gap, width) > tens
        if begun and gap <= 0:
            low = high = True
        if begun or digit or high:
            digits += str(digit)
        else:
            power -= 1  # the estimate was one too high
        if not begun and not -3 <= power < 8:
            low = high = False  # scientific form has a second digit
        begun = True
    tie = 2 * numerator - tens
    if high and (not low or tie > 0 or (tie == 0 and int(digits[-1]) % 2)):
        rounded = str(int(digits) + 1).zfill(len(digits))
        return rounded, power + len(rounded) - len(digits)
    return digits, power


def _wrapped(number: int, width: int) -> int:
    if width == 0:
        return number
    half = 1 << width - 1
    return (number + half) % (2 * half) - half
