"""The types that words of a title or a file name mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from orchestrator.generate.aspects import SPELT, TYPES

#: Types whose names are words of the trade, too: alone they mean a type only in capitals or before a word for one.
_AMBIGUOUS = frozenset({"set", "point", "real", "double", "signed", "unsigned", "text", "char", "time", "date", "bit",
                        "int", "float", "binary", "year", "timestamp", "numeric"})  # fmt: skip
_OF_TYPE = frozenset({"type", "types", "column", "columns", "literal", "literals", "precision", "value", "values"})


def typed(words: Sequence[str]) -> Iterator[str]:
    """The types that words mean, by type word: ``DECIMAL128`` is ``decimal``, a set is none."""
    for word, after in pairwise((*words, "")):
        low = word.lower().rstrip("s")
        plain = low if low in TYPES else low.rstrip("0123456789")  # ``vecf32`` is a name, 128 a width
        kind = SPELT.get(plain, plain)
        capital = word.isupper() and kind != "set"
        if kind in TYPES and (plain not in _AMBIGUOUS or capital or after.lower() in _OF_TYPE):
            yield kind
