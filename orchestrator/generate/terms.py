"""What an error says of the case that met it: it tests that, the server does not know the SQL, or it is broken."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from orchestrator.generate.executor import Answer, Executor
from orchestrator.generate.library import alike

#: The server does not know the SQL itself: no expectation of anything.
_INVALID = re.compile(
    r"(?i)error in your sql syntax|parser? error|unknown (?:function|operator|table|column|database)"
    r"|no such (?:table|function)|(?:function|table|column|variable) .*(?:does not exist|doesn't exist|not exist)"
    r"|variable does not exist|invalid database|(?:database|table|task) \S+ not found|expectedeob"
    r"|not supported: function or operator"
)
#: On another product these say only that it is another one.
_FOREIGN = re.compile(r"(?i)not supported|unsupported|unknown|not allowed|doesn't support|incorrect")
#: Never a right answer, whatever was asked.
_CRASHED = re.compile(r"(?i)panic|runtime error|nil pointer|index out of range|unreachable|should not happen")
_INTERNAL = re.compile(r"(?i)internal error")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a server's answers to generated cases are held against.

    ``target`` is a word of the product's ``version()``, ``budget`` the most statements of all files together, and
    ``refusals`` are internal errors that cases of the tree expect, in words that are `alike`: so it refuses.
    """

    target: str
    budget: int = 0
    refusals: Collection[str] = frozenset()

    def is_product(self, executor: Executor) -> bool:
        """Whether a server is the product itself."""
        return self.target.lower() in executor.version.lower()

    def gate(self, one: Answer, two: Answer, *, is_product: bool) -> str | None:
        """The gate that the answers of two runs stop at, empty when an error is what the case tests.

        ``None`` when there is no error. Lost in one run only is no proof: a busy machine does that, too.
        """
        if one.succeeded and two.succeeded:
            return None
        if one.withheld or two.withheld:
            return "policy"
        if self._is_broken(one) and self._is_broken(two):
            return "finding"
        if one.error != two.error or one.lost or two.lost:
            return "stable"
        error = one.error or ""
        if _INVALID.search(error):
            return "valid"
        return "foreign" if not is_product and _FOREIGN.search(error) else ""

    def _is_broken(self, answer: Answer) -> bool:
        """Whether an answer is never right, whatever was asked. That something is not there is right in any words."""
        error = answer.error or ""
        if answer.lost or _CRASHED.search(error):
            return True
        return _INTERNAL.search(error) is not None and not (
            _INVALID.search(error) or any(words in self.refusals for words in alike(error))
        )
