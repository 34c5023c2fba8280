"""The character set of a column by its collation number, as Connector/J 8.0.15 sees it.

Source: ``com.mysql.cj.CharsetMapping``. What is not listed counts as latin1 there, one byte a character.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Charset(NamedTuple):
    """The Python codec of a character set, and how many bytes Connector/J thinks a character may have."""

    codec: str
    max_bytes: int


LATIN1 = Charset("cp1252", 1)
#: Java reads binary columns as ISO 8859-1.
BINARY = Charset("latin-1", 1)
UTF8 = Charset("utf-8", 4)
#: Numbers and dates carry this collation.
BINARY_COLLATION = 63

_NUMBERS: tuple[tuple[Charset, Iterable[int]], ...] = (
    (UTF8, (45, 46, *range(224, 248), *range(255, 324))),
    (Charset("utf-8", 3), (33, 76, 83, *range(192, 216), 223)),
    (Charset("utf-16-be", 2), (35, 90, *range(128, 152), 159)),
    (Charset("utf-16-be", 4), (54, 55, *range(101, 125))),
    (Charset("utf-16-le", 4), (56, 62)),
    (Charset("utf-32-be", 4), (60, 61, *range(160, 184))),
    (Charset("gb18030", 4), (248, 249, 250)),
    (Charset("gbk", 2), (28, 87)),
    (Charset("gb2312", 2), (24, 86)),
    (Charset("big5", 2), (1, 84)),
    (Charset("euc-kr", 2), (19, 85)),
    (Charset("shift_jis", 2), (13, 88)),
    (Charset("cp932", 2), (95, 96)),
    (Charset("euc-jp", 3), (12, 91, 97, 98)),
    (Charset("ascii", 1), (11, 65)),
    (Charset("iso8859-2", 1), (2, 9, 21, 27, 77)),
    (Charset("iso8859-7", 1), (25, 70)),
    (Charset("iso8859-13", 1), (20, 41, 42, 79)),
    (Charset("iso8859-8", 1), (16, 71)),
    (Charset("iso8859-9", 1), (30, 78)),
    (Charset("cp850", 1), (4, 80)),
    (Charset("cp852", 1), (37, 40, 73, 81)),
    (Charset("cp866", 1), (36, 68)),
    (Charset("koi8-r", 1), (7, 22, 74, 75)),
    (Charset("tis-620", 1), (18, 89)),
    (Charset("cp1250", 1), (26, 34, 44, 66, 99)),
    (Charset("cp1251", 1), (14, 23, 50, 51, 52)),
    (Charset("cp1256", 1), (57, 67)),
    (Charset("cp1257", 1), (29, 58, 59)),
    (Charset("mac-roman", 1), (39, 53)),
    (Charset("mac-latin2", 1), (38, 43)),
    (BINARY, (BINARY_COLLATION,)),
)
_BY_NUMBER = {number: charset for charset, numbers in _NUMBERS for number in numbers}


def charset_of(collation: int) -> Charset:
    """The character set of collation number ``collation``; numbers past Connector/J's table count as utf8mb4."""
    return _BY_NUMBER.get(collation, LATIN1 if 0 < collation < 2048 else UTF8)
