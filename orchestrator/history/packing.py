"""What a model file holds, as plain JSON: strings once, in a table, everything else by their place in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from orchestrator.history.casebook import Casebook
from orchestrator.history.features import CASE_FEATURES, CATEGORY_FEATURES, PACKAGE_FEATURES
from orchestrator.history.forest import MOST_LEAVES, Forest, Tree
from orchestrator.history.past import CHANNELS, Channel, Fading, Observed, Past
from orchestrator.history.ranker import Ranker
from orchestrator.history.text import TextIndex
from orchestrator.surface.reach import Reach, Reached

Json = dict[str, Any]
#: Channels with so many tokens that only those which taught something are kept with their counts.
_CROWDED = ("function", "word", "name")


@dataclass
class _Table:
    """Strings by place."""

    places: dict[str, int] = field(default_factory=dict)

    def put(self, text: str) -> int:
        """The place of a string, new if need be."""
        return self.places.setdefault(text, len(self.places))


def pack_past(past: Past) -> Json:
    """`Past` without what can be worked out from the rest."""
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
    past.channels = {name: _unpack_channel(packed["channels"][name]) for name in CHANNELS}
    for sha, time, cases, categories, packages, norms in packed["observed"]:
        names = [tuple(strings[place] for place in places) for places in (categories, packages)]
        past.keep(Observed(sha, time, tuple(cases), names[0], names[1], tuple(norms)))
    past.case_touches = {int(case): Fading(value, time) for case, value, time in packed["cases"]}
    past.category_touches = {name: Fading(value, time) for name, value, time in packed["categories"]}
    return past


def _pack_channel(name: str, channel: Channel) -> Json:
    taught = channel.heard.keys() | channel.unheard.keys()
    every = name not in _CROWDED
    return {
        "frequency": {
            token: count for token, count in channel.frequency.items() if every or count > 1 or token in taught
        },
        "seen": {token: _pack_fading(seen) for token, seen in channel.seen.items() if every or token in taught},
        "heard": channel.heard,
        "unheard": channel.unheard,
    }


def _unpack_channel(packed: Json) -> Channel:
    seen = {token: Fading(*fading) for token, fading in packed["seen"].items()}
    return Channel(seen, packed["frequency"], packed["heard"], packed["unheard"])


def _pack_fading(fading: Fading) -> tuple[float, int]:
    return float(f"{fading.value:.6g}"), fading.time


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
        float(packed["category_price"]),
        float(packed["package_floor"]),
        int(packed["examples"]),
    )


def _forest(packed: Json, features: Sequence[str]) -> Forest:
    trees = tuple(
        Tree(*(tuple(tree[key]) for key in ("feature", "threshold", "left", "right", "leaves", "values")))
        for tree in packed["trees"]
    )
    if packed["features"] != list(features) or not all(_is_sound(tree, len(features)) for tree in trees):
        raise ValueError("its forests are not what this program grows")
    return Forest(tuple(features), trees, float(packed["slope"]), float(packed["offset"]))


def _is_sound(tree: Tree, features: int) -> bool:
    """Whether every way through a tree ends at a leaf, of `MOST_LEAVES` at most: nodes lie before what follows them."""
    inner = len(tree.feature)
    return (
        inner == len(tree.threshold) == len(tree.left) == len(tree.right) == len(tree.values)
        and inner < len(tree.leaves) <= MOST_LEAVES
        and all(0 <= feature < features for feature in tree.feature)
        and all(
            node < after < inner or 0 <= ~after < len(tree.leaves)
            for node in range(inner)
            for after in (tree.left[node], tree.right[node])
        )
    )
