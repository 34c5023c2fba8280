"""What a seed decides: which of the things that promise about as much are written, and with which values."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, TypeVar

_RANGE: Final = 2**64
_T = TypeVar("_T")


class Chance:
    """The choices of one seed: the same name gives the same choice, on every machine. Seed 0 leaves all as it is."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def factor(self, name: str, spread: float) -> float:
        """A number between ``1 - spread`` and ``1 + spread``."""
        return 1.0 + spread * (2 * self._fraction(name) - 1) if self.seed else 1.0

    def one_of(self, values: Sequence[_T], name: str) -> _T:
        """One of some values; the first for seed 0."""
        return values[int(self._fraction(name) * len(values))] if self.seed else values[0]

    def _fraction(self, name: str) -> float:
        digest = blake2b(f"{self.seed} {name}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / _RANGE


#: Seed 0.
AS_IT_IS: Final = Chance(0)
