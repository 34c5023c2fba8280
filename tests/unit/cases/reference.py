"""The quote rules once more, character by character: the slow and plain reading that `quoting` is tested against."""

from __future__ import annotations

from dataclasses import dataclass

WHITESPACE = frozenset("\t\x0b\x0c\x1c\x1d\x1e\x1f \u1680\u2000\u2003\u2028\u2029\u205f\u3000")


@dataclass
class Quotes:
    single: bool = False
    double: bool = False

    def step(self, text: str, at: int) -> int:
        """Read the character at ``at``; the position of the last one read."""
        char, after = text[at], text[at + 1 : at + 2]
        if char == "\\" and after and (self.single or self.double):
            return at + self._hidden(text, at)
        if char == "'" and self.single and after == "'":
            return at + 1
        if char == "'" and not self.double:
            self.single = not self.single
        elif char == '"' and not self.single:
            self.double = not self.double
        return at

    def _hidden(self, text: str, at: int) -> int:
        follower = text[at + 3 : at + 4]
        if not (self.single and text[at + 1 : at + 3] == "''") or follower in {"", ")", ";"}:
            return 1
        if follower != ",":
            return 2
        rest = text[at + 4 :].lstrip("".join(WHITESPACE))
        return 2 if rest and rest[0] != "\n" else 1

    @property
    def closed(self) -> bool:
        return not self.single and not self.double


def completes(before: str, line: str) -> bool:
    """Whether ``line`` completes the statement whose earlier lines, each with its LF, are ``before``."""
    quotes, comment, at = _after(before), len(line), 0
    while at < len(line):
        at = quotes.step(line, at)
        if quotes.closed and line.startswith("--", at):
            comment = at
            break
        at += 1
    delimiter = line.rfind(";", 0, comment)
    return delimiter >= 0 and _after(before, line, delimiter).closed


def _after(before: str, line: str = "", end: int = 0) -> Quotes:
    quotes = Quotes()
    for text, stop in ((before, len(before)), (line, end)):
        at = 0
        while at < stop:
            at = quotes.step(text, at) + 1
    return quotes
