from __future__ import annotations

import contextlib
import itertools
import re
from decimal import Decimal

import pytest

from tests.unit.bvt_compare.factories import BIGINT, CHAR, DECIMAL, DOUBLE, INTEGER, VARCHAR
from workers.bvt import cells
from workers.bvt.cells import NotANumberError, cells_equal, java_double
from workers.bvt.javadouble import java_decimal, java_digits


@pytest.mark.parametrize(
    ("expected", "actual", "type_", "equal"),
    [
        ("x", "x", CHAR, True), ("NULL", "null", INTEGER, True), ("null", "1.5", DOUBLE, False),
        ("0.1", "0.1499", DOUBLE, True), ("0.1", "0.1501", DOUBLE, False), ("100", "123", BIGINT, True),
        ("123", "100", BIGINT, True), ("10", "15", BIGINT, False), ("-5", "7", BIGINT, True),
        ("7", "-5", BIGINT, False), ("-5.25", "123456.75", DOUBLE, True), ("0", "0.0000001", DOUBLE, False),
        ("1.0000001", "1.0000009", DOUBLE, True), ("1.0000001", "1.0000012", DOUBLE, False),
        ("9007199254740993", "9007199254740992", BIGINT, True),
        ("1.50", "1.5", DECIMAL, True), ("1.50", "1.5", VARCHAR, True), ("1.50", "1.5", CHAR, False),
        ("1.50", "1.5x", VARCHAR, False), ("1d", " 1.0f ", DOUBLE, True), ("0x1p4", "16", DOUBLE, True),
        # JDK 17 prints one digit more of this than needed: -169 is rounded to -2E+2, not to 0
        ("-169", "4850934286531103873", BIGINT, True),
    ],
)  # fmt: skip
def test_cells(expected: str, actual: str, type_: int, equal: bool) -> None:
    assert cells_equal(expected, actual, type_) is equal


@pytest.mark.parametrize(
    "text", ["", "abc", "NaN", "Infinity", "1e999", "1_0", "2024-01", "1.2.3", "-", ".", "0x1", "inf", "٣"]
)
def test_what_is_no_finite_java_number_is_refused(text: str) -> None:
    with pytest.raises(NotANumberError):
        java_double(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [  # as Double.toString of OpenJDK 17 prints them
        (0.1, "0.1"),
        (0.0, "0"),
        (-28392432.0, "-2.8392432E7"),
        (100.0, "1E+2"),
        (2.0**62, "4.6116860184273879E18"),
        (2.0**63, "9.223372036854776E18"),
        (4850934286531103873.0, "4.8509342865311037E18"),
        (1.11e22, "1.1100000000000001E22"),
        (8.69e21, "8.689999999999999E21"),
        (3.4200000000000003e25, "3.4200000000000002E25"),
        (5e-324, "4.9E-324"),
        (9.5054578314758e-212, "9.505457831475799E-212"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
    ],
)
def test_doubles_have_the_digits_java_gives_them(value: float, text: str) -> None:
    assert java_decimal(value).as_tuple() == Decimal(text).normalize().as_tuple()


def test_digits_come_with_the_power_of_the_first() -> None:
    assert java_digits(28392432.0) == ("28392432", 7)
    assert java_digits(-0.00025) == ("25", -4)
    assert java_digits(9.999999999999999e22) == ("9999999999999999", 22)


def test_what_looks_like_a_number_is_what_does_to_mo_tester() -> None:
    theirs = re.compile(r"[+-]*\d+\.?\d*[Ee]*[+-]*\d+|[-+]?[.\d]*", re.ASCII)
    texts = ["".join(text) for length in range(1, 8) for text in itertools.product("1.E+", repeat=length)]
    assert [text for text in texts if cells._looks_numeric(text) is not bool(theirs.fullmatch(text))] == []


@pytest.mark.parametrize("type_", [cells.VARCHAR, cells.DOUBLE])
def test_a_text_of_very_many_digits_is_read_once(type_: int) -> None:
    digits = "1" * 100_000 + "x"
    with contextlib.suppress(NotANumberError):
        assert not cells_equal(digits, "2" + digits, type_)
