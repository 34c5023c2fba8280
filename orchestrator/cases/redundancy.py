"""How redundant a tree of scripts is: what is said twice, where, and what could go, the biggest saving first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.cases.corpus import Corpus

#: Two scripts belong together when this share of the smaller one's statements stands in blocks they have in common.
_COMMON = 0.5
#: A block that more scripts than this have is set-up that everybody writes, and groups nobody.
_EVERYBODYS = 30


@dataclass(frozen=True, slots=True)
class Level:
    """How many there are, and how many are left when equal ones count once."""

    name: str
    total: int
    distinct: int

    @property
    def share(self) -> float:
        """The share that is left, 0 to 1."""
        return self.distinct / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two places (``path:first-last`` line) of one shape, and how many statements that is."""

    kept: str
    repeats: str
    statements: int


@dataclass(frozen=True, slots=True)
class Group:
    """Scripts that test the same in part or whole; ``saving`` is in statements, were the repetitions removed."""

    scripts: tuple[str, ...]
    saving: int
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """A statement that many scripts have: how often, in how many scripts, and where the first one stands."""

    times: int
    scripts: int
    place: str


def levels(corpus: Corpus) -> tuple[Level, ...]:
    """Statements by exact text and by shape, blocks and scripts by shape."""
    ask = corpus.connection.execute
    [total] = ask("SELECT coalesce(sum(times), 0) FROM statement").fetchone()
    [exact] = ask("SELECT count(DISTINCT exact) FROM statement").fetchone()
    [shape] = ask("SELECT count(*) FROM (SELECT DISTINCT bag, shape FROM statement)").fetchone()
    blocks = ask("SELECT count(*), count(DISTINCT shape) FROM block WHERE last - first > 1").fetchone()
    scripts = ask("SELECT count(*), count(DISTINCT shape) FROM script").fetchone()
    return (
        Level("statements, exact", total, exact),
        Level("statements, shape", total, shape),
        Level("blocks, shape", *blocks),
        Level("scripts, shape", *scripts),
    )


def by_directory(corpus: Corpus) -> list[Level]:
    """For each top-level directory its statements, and those of a shape that no directory before it has; by size."""
    first: dict[tuple[int, int], str] = {}
    total: dict[str, int] = defaultdict(int)
    own: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for bag, shape, times, path in corpus.connection.execute(
        "SELECT statement.bag, statement.shape, times, path FROM statement"
        " JOIN script ON script.id = script ORDER BY path"
    ):
        directory = path.partition("/")[0] if "/" in path else "."
        total[directory] += times
        if first.setdefault((bag, shape), directory) == directory:
            own[directory].add((bag, shape))
    found = [Level(directory, count, len(own[directory])) for directory, count in total.items()]
    return sorted(found, key=lambda level: (level.distinct - level.total, level.name))


def families(corpus: Corpus, limit: int) -> list[Family]:
    """The statements that are repeated most, by shape."""
    rows = corpus.connection.execute(
        "SELECT sum(times) AS n, count(DISTINCT script), min(path || ':' || line) FROM statement"
        " JOIN script ON script.id = script GROUP BY statement.bag, statement.shape ORDER BY n DESC LIMIT ?",
        (limit,),
    )
    return [Family(*row) for row in rows]


def groups(corpus: Corpus) -> list[Group]:
    """Groups of scripts that test the same, the biggest saving first."""
    sizes = dict(corpus.connection.execute("SELECT path, statements FROM script"))
    shared: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for places in _repeated_blocks(corpus):
        for at, (kept, kept_lines, count) in enumerate(places):
            for path, lines, _ in places[at + 1 :]:
                if path != kept:
                    pair = (kept, path) if sizes[kept] >= sizes[path] else (path, kept)
                    spans = (kept_lines, lines) if pair[0] == kept else (lines, kept_lines)
                    shared[pair].append(Evidence(f"{pair[0]}:{spans[0]}", f"{pair[1]}:{spans[1]}", count))
    near = {pair: evidence for pair, evidence in shared.items() if _share(evidence) >= _COMMON * sizes[pair[1]]}
    return sorted(_grouped(near), key=lambda group: (-group.saving, group.scripts))


def _share(evidence: Iterable[Evidence]) -> int:
    """The statements of the smaller script that stand in the larger one: each block once."""
    return sum({one.repeats: one.statements for one in evidence}.values())


def _repeated_blocks(corpus: Corpus) -> Iterable[list[tuple[str, str, int]]]:
    """For each block that stands more than once its places: path, lines, statements."""
    found: dict[tuple[int, int], list[tuple[str, str, int]]] = defaultdict(list)
    for bag, shape, path, line, last_line, count in corpus.connection.execute(
        "SELECT block.bag, block.shape, path, line, last_line, last - first FROM block"
        " JOIN script ON script.id = script WHERE last - first > 1 ORDER BY path, first"
    ):
        found[bag, shape].append((path, f"{line}-{last_line}", count))
    return [places for places in found.values() if 1 < len(places) <= _EVERYBODYS]


def _grouped(pairs: Mapping[tuple[str, str], list[Evidence]]) -> Iterable[Group]:
    """Connected scripts as groups; each repeated block counts once, against one script that keeps it."""
    parent: dict[str, str] = {}

    def root(path: str) -> str:
        while parent.setdefault(path, path) != path:
            path = parent[path]
        return path

    for kept, repeats in pairs:
        parent[root(repeats)] = root(kept)
    members: dict[str, set[str]] = defaultdict(set)
    evidence: dict[str, dict[str, Evidence]] = defaultdict(dict)
    for (kept, repeats), found in pairs.items():
        members[root(kept)] |= {kept, repeats}
        for one in found:
            evidence[root(kept)].setdefault(one.repeats, one)
    for key, scripts in members.items():
        ordered = sorted(evidence[key].values(), key=lambda one: (-one.statements, one.repeats))
        yield Group(tuple(sorted(scripts)), sum(one.statements for one in ordered), tuple(ordered))
