"""Values and metadata as Connector/J 8.0.15 shows them; each row was checked against the driver itself."""

from __future__ import annotations

import pytest

from orchestrator.cases.expectation import Column, render_set
from workers.bvt import render
from workers.bvt.render import BadValueError, column_of, decoder_of, java_double, result_of
from workers.bvt.wire import Field, Reply

UTF8, BINARY = 33, 63


def field(
    kind: int, *, length: int = 10, collation: int = BINARY, flags: int = 128, decimals: int = 0, table: str = "t"
) -> Field:
    return Field("x", table, table, collation, length, kind, flags, decimals)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (30.0, "30.0"),
        (28392432.0, "2.8392432E7"),
        (0.0001, "1.0E-4"),
        (0.001, "0.001"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (-1.5e-10, "-1.5E-10"),
        (1e20, "1.0E20"),
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (123456.789, "123456.789"),
        (float("inf"), "Infinity"),
    ],
)
def test_doubles_read_as_java_prints_them(number: float, text: str) -> None:
    assert java_double(number) == text


@pytest.mark.parametrize(
    ("kind", "raw", "text"),
    [
        (render.TIME, b"-01:02:03.5", "-1:02:03.500000000"),
        (render.TIME, b"-00:30:00", "00:30:00"),
        (render.TIME, b"838:59:59", "838:59:59"),
        (render.DATETIME, b"2020-01-01 01:02:03.500", "2020-01-01 01:02:03.500000000"),
        (render.DATETIME, b"2020-01-01 01:02:03.000000", "2020-01-01 01:02:03"),
        (render.DATE, b"0000-00-00", "0000-00-00"),
        (render.YEAR, b"2020", "2020-01-01"),
        (render.YEAR, b"0", "2000-01-01"),
        (render.YEAR, b"70", "1970-01-01"),
        (render.NEWDECIMAL, b"-0.00", "0.00"),
        (render.NEWDECIMAL, b"12.3400", "12.3400"),
        (render.BIT, b"\x01\x05", "261"),
        (render.LONG, b"00042", "42"),
        (render.LONGLONG, b"-9223372036854775808", "-9223372036854775808"),
        (render.JSON, '{"é":1}'.encode(), '{"é":1}'),
        (render.BLOB, b"\xffA", "ÿA"),
        (render.GEOMETRY, b"\x00\xf0", "\x00ð"),
    ],
)
def test_a_raw_value_renders_by_its_type(kind: int, raw: bytes, text: str) -> None:
    assert decoder_of(field(kind))(raw) == text


@pytest.mark.parametrize("kind", [render.DATE, render.TIME, render.DATETIME, render.DOUBLE, render.NEWDECIMAL])
def test_what_is_not_of_its_type_breaks_the_fetch_off(kind: int) -> None:
    with pytest.raises(BadValueError):
        decoder_of(field(kind))(b"abc")


@pytest.mark.parametrize(
    ("kind", "flags", "raw"),
    [(render.LONG, 0, b"4036991104"), (render.SHORT, 32, b"2147483648"), (render.LONGLONG, 0, b"9223372036854775808")],
)
def test_an_integer_beyond_its_java_type_breaks_the_fetch_off(kind: int, flags: int, raw: bytes) -> None:
    decode = decoder_of(field(kind, flags=flags))
    with pytest.raises(BadValueError, match=raw.decode()):
        decode(raw)
    assert decode(b"-2147483648") == "-2147483648"


def test_rows_before_a_broken_value_are_kept() -> None:
    result, broken = result_of(Reply((field(render.DATE),), [[b"2020-01-01"], [b"20-1-1"]]))
    assert list(result.rows) == [["2020-01-01"]]
    assert broken is not None
    assert "DATE" in broken


@pytest.mark.parametrize(
    ("described", "jdbc"),
    [
        (field(render.TINY, length=1), (-7, 1, 0)),
        (field(render.TINY, length=4), (-6, 4, 0)),
        (field(render.NEWDECIMAL, length=12, decimals=2, flags=0), (3, 10, 2)),
        (field(render.NEWDECIMAL, length=11, decimals=2, flags=32), (3, 10, 2)),
        (field(render.FLOAT, length=12, decimals=31), (7, 12, 31)),
        (field(render.DOUBLE, length=22, decimals=31), (8, 22, 31)),
        (field(render.VAR_STRING, length=30, collation=UTF8, flags=0), (12, 10, 0)),
        (field(render.VAR_STRING, length=4), (-3, 4, 0)),
        (field(render.VAR_STRING, length=4, table="#sql_1"), (12, 4, 0)),
        (field(render.STRING, length=3), (-2, 3, 0)),
        (field(render.BLOB, length=65535), (-4, 65535, 0)),
        (field(render.BLOB, length=765, collation=UTF8, flags=16), (-1, 255, 0)),
        (field(render.BLOB, length=250, collation=UTF8, flags=16), (12, 83, 0)),
        (field(render.LONG_BLOB, length=4294967295, collation=UTF8, flags=16), (-1, 715827882, 0)),
        (field(render.GEOMETRY, length=4294967295), (-2, 2147483647, 0)),
        (field(render.YEAR, length=4, flags=96), (91, 4, 0)),
        (field(render.NULL, length=0), (0, 0, 0)),
        (field(render.BIT, length=3, flags=32), (-7, 3, 0)),
        (field(242, length=16), (1111, 16, 0)),
    ],
)
def test_metadata_is_what_the_driver_reports(described: Field, jdbc: tuple[int, int, int]) -> None:
    assert column_of(described) == Column("x", *jdbc)


def test_unlimited_text_is_written_with_precision_minus_one() -> None:
    result, _ = result_of(Reply((field(render.LONG_BLOB, length=4294967295, collation=UTF8, flags=16),), []))
    assert render_set(result) == "➤ x[-1,-1,0]"
