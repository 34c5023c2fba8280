"""The few Java text rules the case format inherits from mo-tester, which is written in Java.

They differ from Python's: ``String.trim`` cuts control characters and blanks only, ``Integer.parseInt`` knows 32 bits,
``String.split`` drops empty pieces at the end, and ``equalsIgnoreCase`` folds character by character.
"""

from __future__ import annotations

#: What ``String.trim`` cuts: every character up to U+0020, and neither U+00A0 nor U+3000.
TRIMMED = "".join(map(chr, range(0x21)))

#: What ``Character.isWhitespace`` holds for, save the two line ends (JDK 17).
WHITESPACE_IN_LINE = (
    "\t\x0b\x0c\x1c-\x1f \u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000"  # ranges as in a regex class
)


def trim(text: str) -> str:
    """``text`` without the characters up to U+0020 at both ends."""
    return text.strip(TRIMMED)


def lines(text: str) -> list[str]:
    """The lines of ``text``, ended by LF, CR or CRLF only; a final line end opens no further line."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    pieces = text.split("\n")
    if not pieces[-1]:
        pieces.pop()
    return pieces


def parse_int(text: str) -> int:
    """``text`` as a 32-bit integer: an optional sign and digits, nothing else. Raises ValueError."""
    digits = text[1:] if text[:1] in {"+", "-"} else text
    if digits.isdecimal() and -0x80000000 <= (number := int(text)) <= 0x7FFFFFFF:
        return number
    raise ValueError(f"{text!r} is no 32-bit whole number")


def split(text: str, separator: str) -> list[str]:
    """The pieces of ``text`` between ``separator``, those empty at the end left out; an empty text is one piece."""
    pieces = text.split(separator)
    if len(pieces) == 1:
        return pieces
    while pieces and not pieces[-1]:
        pieces.pop()
    return pieces


def _fold(char: str) -> str:
    upper = char.upper()
    lower = (upper if len(upper) == 1 else char).lower()
    return lower if len(lower) == 1 else char


def equals_ignore_case(left: str, right: str) -> bool:
    """Whether the texts agree character by character, each folded to upper and then to lower case."""
    if left == right:
        return True
    if len(left) != len(right):
        return False
    if left.isascii() and right.isascii():
        return left.lower() == right.lower()
    return all(a == b or _fold(a) == _fold(b) for a, b in zip(left, right, strict=True))
