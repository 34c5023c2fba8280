"""What a model file holds, as plain JSON: strings once, in a table, everything else by their place in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from orchestrator.history.casebook import Casebook
from orchestrator.history.forest import Forest, Tree
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
            [[table.put(token) for token in one.tokens[name]] for name in CHANNELS],
            list(one.cases),
            [table.put(name) for name in one.categories],
            [table.put(name) for name in one.packages],
            [float(f"{norm:.6g}") for norm in one.norms],
        ]
        for one in past.observed
    ]
    channels = {name: _pack_channel(name, channel, table) for name, channel in past.channels.items()}
    return {
        "changes": past.changes,
        "observed": observed,
        "channels": channels,
        "cases": [[case, *_pack_fading(fading)] for case, fading in past.case_touches.items()],
        "categories": [[name, *_pack_fading(fading)] for name, fading in past.category_touches.items()],
        "strings": list(table.places),
    }


def unpack_past(packed: Json) -> Past:
    """The past of `pack_past`, its index built anew."""
    strings: list[str] = packed["strings"]
    past = Past(changes=int(packed["changes"]))
    for name in CHANNELS:
        past.channels[name] = _unpack_channel(packed["channels"][name], strings)
    for sha, time, tokens, cases, categories, packages, norms in packed["observed"]:
        by_channel = {name: tuple(map(strings.__getitem__, of)) for name, of in zip(CHANNELS, tokens, strict=True)}
        names = [tuple(strings[place] for place in places) for places in (categories, packages)]
        past.remember(Observed(sha, time, by_channel, tuple(cases), names[0], names[1], tuple(norms)))
    past.case_touches = {int(case): Fading(value, time) for case, value, time in packed["cases"]}
    past.category_touches = {name: Fading(value, time) for name, value, time in packed["categories"]}
    return past


def _pack_channel(name: str, channel: Channel, table: _Table) -> list[list[float]]:
    crowded = name in _CROWDED
    rows: list[list[float]] = []
    for token, count in channel.frequency.items():
        taught = token in channel.taught
        if crowded and not taught and count < 2:
            continue
        seen = channel.seen.get(token) if taught or not crowded else None
        rows.append([table.put(token), count, *(_pack_fading(seen) if seen else ())])
    return rows


def _unpack_channel(rows: list[list[Any]], strings: list[str]) -> Channel:
    channel = Channel()
    for place, count, *seen in rows:
        token = strings[place]
        channel.frequency[token] = count
        if seen:
            channel.seen[token] = Fading(*seen)
    return channel


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
    cases, categories, packages = (_forest(packed[name]) for name in ("cases", "categories", "packages"))
    return Ranker(
        cases,
        categories,
        packages,
        float(packed["category_price"]),
        float(packed["package_floor"]),
        int(packed["examples"]),
    )


def _forest(packed: Json) -> Forest:
    trees = tuple(
        Tree(*(tuple(tree[key]) for key in ("feature", "threshold", "left", "right", "leaves", "values")))
        for tree in packed["trees"]
    )
    return Forest(tuple(packed["features"]), trees, float(packed["slope"]), float(packed["offset"]))
