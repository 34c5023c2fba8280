"""The words of the cases, kept by word: BM25 of a change's words against them, case by case as they come and go."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

#: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), section 3.
_K1, _B = 1.2, 0.6
#: A query is its most telling words.
_MOST_WORDS = 160


class TextIndex:
    """Documents by number, each a count of words."""

    def __init__(self) -> None:
        self._postings: dict[str, dict[int, int]] = {}
        #: The words of each document, by number.
        self.documents: dict[int, dict[str, int]] = {}
        self._lengths: dict[int, int] = {}
        self._total = 0

    def put(self, number: int, words: dict[str, int]) -> None:
        """Add a document, or put it in the place of what was there."""
        self.drop(number)
        self.documents[number] = words
        self._lengths[number] = length = sum(words.values())
        self._total += length
        for word, count in words.items():
            self._postings.setdefault(word, {})[number] = count

    def drop(self, number: int) -> None:
        """Forget a document."""
        for word in self.documents.pop(number, ()):
            del self._postings[word][number]
        self._total -= self._lengths.pop(number, 0)

    def rarity(self, word: str) -> float:
        """Inverse document frequency; 0 for a word of no document or of most."""
        found = len(self._postings.get(word, ()))
        return max(0.0, math.log((len(self.documents) - found + 0.5) / (found + 0.5))) if found else 0.0

    def documents_with(self, word: str) -> Collection[int]:
        """The numbers of the documents that have a word."""
        return self._postings.get(word, {})

    def is_common(self, word: str) -> bool:
        """Whether more than one document in five has a word, and more than one: no reason to name to a reader."""
        return len(self._postings.get(word, ())) > max(1, len(self.documents) / 5)

    def telling(self, words: dict[str, int]) -> list[tuple[str, float]]:
        """The words of a query that tell documents apart, with their weights, heaviest first."""
        weighed = [(word, self.rarity(word) * (1 + math.log(count))) for word, count in words.items()]
        return sorted((pair for pair in weighed if pair[1] > 0), key=lambda pair: (-pair[1], pair[0]))[:_MOST_WORDS]

    def scores(self, words: dict[str, int]) -> dict[int, float]:
        """BM25 of every document that shares a word with the query."""
        return self._scores(self.telling(words))

    def weighed(self, words: dict[str, float]) -> dict[int, float]:
        """BM25 of every document that shares a word with a query whose words have weights."""
        rare = [(word, weight * self.rarity(word)) for word, weight in words.items()]
        return self._scores(pair for pair in rare if pair[1] > 0)

    def _scores(self, query: Iterable[tuple[str, float]]) -> dict[int, float]:
        mean = self._total / max(1, len(self.documents))
        found: dict[int, float] = {}
        for word, weight in query:
            for number, count in self._postings[word].items():
                norm = _K1 * (1 - _B + _B * self._lengths[number] / mean)
                found[number] = found.get(number, 0.0) + weight * count * (_K1 + 1) / (count + norm)
        return found
