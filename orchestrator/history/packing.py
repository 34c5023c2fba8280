"""What a model file holds, as plain JSON; what is read from it is checked, as it may come from anybody."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import Any

from orchestrator.history.casebook import Casebook
from orchestrator.history.features import CASE_FEATURES, CATEGORY_FEATURES, PACKAGE_FEATURES
from orchestrator.history.forest import MOST_LEAVES, Forest, Tree
from orchestrator.history.past import CHANNELS, LATEST, Channel, Fading, Observed, Past
from orchestrator.history.ranker import Ranker
from orchestrator.history.text import TextIndex
from orchestrator.surface.reach import Reach, Reached

Json = dict[str, Any]
#: Channels with so many tokens that only those which changed twice, or taught something, are kept.
_CROWDED = ("function", "word", "name")


@dataclass
class _Table:
    """Strings by place."""

    places: dict[str, int] = field(default_factory=dict)

    def put(self, text: str) -> int:
        """The place of a string, new if need be."""
        return self.places.setdefault(text, len(self.places))


def pack_past(past: Past) -> Json:
    """`Past` with the index of its tokens, without its `Columns`."""
    table = _Table()
    observed = [
        [
            one.sha,
            one.time,
            list(one.cases),
            [table.put(name) for name in one.categories],
            [table.put(name) for name in one.packages],
            [float(f"{norm:.6g}") for norm in one.norms],
        ]
        for one in past.observed
    ]
    channels = {name: _pack_channel(name, channel) for name, channel in past.channels.items()}
    return {
        "changes": past.changes,
        "observed": observed,
        "channels": channels,
        "cases": [[case, *_pack_fading(fading)] for case, fading in past.case_touches.items()],
        "categories": [[name, *_pack_fading(fading)] for name, fading in past.category_touches.items()],
        "strings": list(table.places),
    }


def unpack_past(packed: Json) -> Past:
    """The past of `pack_past`."""
    strings: list[str] = packed["strings"]
    past = Past(changes=int(packed["changes"]))
    for sha, time, cases, categories, packages, norms in packed["observed"]:
        names = [tuple(strings[place] for place in places) for places in (categories, packages)]
        lengths = tuple(map(_positive, norms))
        past.keep(Observed(str(sha), time_of(time), tuple(map(int, cases)), names[0], names[1], lengths))
    channels = packed["channels"]
    past.channels = {name: _unpack_channel(channels[name], len(past.observed)) for name in CHANNELS}
    past.case_touches = {int(case): _unpack_fading(fading) for case, *fading in packed["cases"]}
    past.category_touches = {str(name): _unpack_fading(fading) for name, *fading in packed["categories"]}
    return past


def _pack_channel(name: str, channel: Channel) -> Json:
    """Its tokens, and of each, in the same order, what is known of it; 0 where nothing is."""
    taught = channel.heard.keys() | channel.unheard.keys()
    every = name not in _CROWDED
    tokens = [token for token, count in channel.frequency.items() if every or count > 1 or token in taught]
    seen = {token: _pack_fading(seen) for token, seen in channel.seen.items() if every or token in taught}
    return {
        "tokens": tokens,
        "frequency": [channel.frequency[token] for token in tokens],
        "seen": [seen.get(token, 0) for token in tokens],
        "heard": [channel.heard.get(token, 0) for token in tokens],
        "unheard": [channel.unheard.get(token, 0) for token in tokens],
    }


def _unpack_channel(packed: Json, observed: int) -> Channel:
    tokens: list[str] = packed["tokens"]
    if not set(map(type, tokens)) <= {str}:
        raise ValueError("a token is no text")
    frequency, seen, *indices = (
        {token: known for token, known in zip(tokens, packed[key], strict=True) if known}
        for key in ("frequency", "seen", "heard", "unheard")
    )
    for index in indices:
        _check_numbers(chain.from_iterable(index.values()), observed)
    _check_numbers(frequency.values(), sys.maxsize)
    return Channel({token: _unpack_fading(fading) for token, fading in seen.items()}, frequency, *indices)


def _check_numbers(numbers: Iterable[Any], end: int) -> None:
    """Raise ValueError unless all are whole numbers from 0 to one less than ``end``."""
    different = set(numbers)
    if not set(map(type, different)) <= {int} or min(different, default=0) < 0 or max(different, default=-1) >= end:
        raise ValueError("a number is out of its range")


def _pack_fading(fading: Fading) -> tuple[float, int]:
    return float(f"{fading.value:.6g}"), fading.time


def _unpack_fading(packed: list[Any]) -> Fading:
    value, time = packed
    return Fading(float(value), time_of(time))


def time_of(packed: Any) -> int:  # noqa: ANN401 - whatever a file holds
    """Seconds since 1970 that a calendar can show.

    Raises:
        ValueError: they are not.
    """
    time = int(packed)
    if not 0 <= time <= LATEST:
        raise ValueError(f"{time} is no time")
    return time


def _positive(packed: Any) -> float:  # noqa: ANN401 - whatever a file holds
    if (number := float(packed)) <= 0:
        raise ValueError(f"{number} is no length")
    return number


def pack_book(book: Casebook) -> Json:
    """`Casebook` with the words of its cases."""
    table = _Table()
    cases = [
        [number, book.statements[number], book.born[number], book.blobs[stem]] for number, stem in book.stems.items()
    ]
    words = {name: _pack_text(getattr(book, name), table) for name in ("scripts", "results", "paths")}
    return {
        "numbers": sorted(book.numbers, key=lambda stem: book.numbers[stem]),
        "cases": cases,
        "test_files": book.test_files,
        **words,
        "strings": list(table.places),
    }


def unpack_book(packed: Json) -> Casebook:
    """The casebook of `pack_book`."""
    stems: list[str] = packed["numbers"]
    book = Casebook(numbers={stem: number for number, stem in enumerate(stems)}, test_files=dict(packed["test_files"]))
    for number, statements, born, blobs in packed["cases"]:
        book.stems[number], book.statements[number], book.born[number] = stems[number], int(statements), int(born)
        book.blobs[stems[number]] = dict(blobs)
    strings: list[str] = packed["strings"]
    for name in ("scripts", "results", "paths"):
        setattr(book, name, _unpack_text(packed[name], strings))
    return book


def _pack_text(index: TextIndex, table: _Table) -> list[list[Any]]:
    documents = sorted(index.documents.items())
    return [[number, [table.put(word) for word in words], list(words.values())] for number, words in documents]


def _unpack_text(packed: list[list[Any]], strings: list[str]) -> TextIndex:
    index = TextIndex()
    for number, words, counts in packed:
        index.put(number, dict(zip(map(strings.__getitem__, words), counts, strict=True)))
    return index


def _finite(packed: Any) -> float:  # noqa: ANN401 - whatever a file holds; 1e999 is JSON
    if not math.isfinite(number := float(packed)):
        raise ValueError(f"{packed!r} is beyond all numbers")
    return number


def pack_reach(reach: Reach) -> Json:
    """The tables of a `Reach`."""
    return asdict(reach)


def unpack_reach(packed: Json) -> Reach:
    """The reach of `pack_reach`."""
    return Reach(
        {name: tuple(Reached(*one) for one in found) for name, found in packed["functions"].items()},
        {directory: tuple(names) for directory, names in packed["operators"].items()},
        {symbol: tuple((kind, name) for kind, name in pairs) for symbol, pairs in packed["symbols"].items()},
        dict(packed["errors"]),
    )


def pack_ranker(ranker: Ranker) -> Json:
    """The forests and thresholds as they are."""
    return asdict(ranker)


def unpack_ranker(packed: Json) -> Ranker:
    """The ranker of `pack_ranker`."""
    return Ranker(
        _forest(packed["cases"], CASE_FEATURES),
        _forest(packed["categories"], CATEGORY_FEATURES),
        _forest(packed["packages"], PACKAGE_FEATURES),
        _finite(packed["category_price"]),
        _finite(packed["package_floor"]),
        int(packed["examples"]),
    )


def _forest(packed: Json, features: Sequence[str]) -> Forest:
    trees = tuple(Tree(*(tuple(map(kind, tree[key])) for key, kind in _FIELDS.items())) for tree in packed["trees"])
    if packed["features"] != list(features) or not all(_is_sound(tree, len(features)) for tree in trees):
        raise ValueError("its forests are not what this program grows")
    return Forest(tuple(features), trees, _finite(packed["slope"]), _finite(packed["offset"]))


#: The fields of a tree, and what each holds.
_FIELDS: dict[str, Callable[[Any], Any]] = {
    "feature": int, "threshold": _finite, "left": int, "right": int, "leaves": _finite, "values": _finite,
}  # fmt: skip


def _is_sound(tree: Tree, features: int) -> bool:
    """Whether it is a tree, of `MOST_LEAVES` at most: every node and leaf follows one node, which lies before it."""
    inner, leaves = len(tree.feature), len(tree.leaves)
    after = (*tree.left, *tree.right)
    return (
        inner == len(tree.threshold) == len(tree.left) == len(tree.right) == len(tree.values)
        and leaves == inner + 1 <= MOST_LEAVES
        and all(0 <= feature < features for feature in tree.feature)
        and sorted(after) == [one for one in range(-leaves, inner) if one and inner]
        and all(one < 0 or one > node for node, one in zip((*range(inner), *range(inner)), after, strict=True))
    )
