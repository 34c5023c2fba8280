"""What new scripts repeat: of one another first, then of what a tree already tests.

The index finds what may be the same; the scripts themselves are compared before anything is called a duplicate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from orchestrator.cases.corpus import Corpus, Place
from orchestrator.cases.dedup import DUPLICATE, Level, Verdict, compare
from orchestrator.cases.discover import read_text
from orchestrator.cases.fingerprint import Fingerprint, Typed
from orchestrator.cases.fingerprint_script import Block, Reader, ReadScript
from orchestrator.cases.script import parse_script
from orchestrator.domain.errors import BadCaseError

#: Scripts that are looked at for what a block is a variant of.
_MOST_VARIANTS = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """Lines ``line`` to ``last_line`` of the new script ``path`` and what they repeat.

    ``kind`` is script, block or statement; ``existing`` is ``path:line`` of what was there before, ``times`` how often
    it is there.
    """

    kind: str
    path: str
    line: int
    last_line: int
    level: Level
    existing: str
    differs_in: tuple[str, ...]
    times: int = 1

    @property
    def duplicate(self) -> bool:
        """Whether this is a duplicate, not only advice."""
        return self.level in DUPLICATE


class Search:
    """Looks scripts up, one after another; each is also looked for by those after it."""

    def __init__(self, corpus: Corpus | None) -> None:
        self.corpus = corpus
        self._reader = Reader()
        self._new: dict[tuple[str, bytes], tuple[ReadScript, Place]] = {}
        self._bags: dict[tuple[str, int], tuple[ReadScript, Place]] = {}
        self._load = lru_cache(maxsize=32)(self._read_existing)

    def read(self, text: str, path: str) -> ReadScript:
        """The new script ``text``, to be looked up."""
        return self._reader.read(parse_script(text, path))

    def look_up(self, script: ReadScript, own_path: str = "") -> Iterator[Finding]:
        """What ``script`` repeats. ``own_path`` is its path in the tree, when it is there already."""
        if not script.statements:
            return
        whole = self._find("script", script, script.fingerprint, (0, len(script.statements)), own_path)
        if whole is not None:
            yield whole
        for block in script.blocks:
            if block.last - block.first > 1 and whole is None:
                yield from self._block(script, block, own_path)
        yield from self._statements(script, own_path)
        self._remember(script)

    def _block(self, script: ReadScript, block: Block, own_path: str) -> Iterator[Finding]:
        bounds = (block.first, block.last)
        found = self._find("block", script, block.fingerprint, bounds, own_path)
        if found is None and self.corpus is not None:
            found = self._variant(script, block, own_path)
        if found is not None:
            yield found

    def _find(
        self, kind: str, script: ReadScript, fingerprint: Fingerprint, bounds: tuple[int, int], own_path: str
    ) -> Finding | None:
        for other, place, times in self._candidates(kind, fingerprint, own_path):
            verdict = compare(_typed(script, *bounds), _typed(other, place.first, place.last))
            if verdict.duplicate:
                return _finding(kind, script, bounds, place, verdict, times)
        return None

    def _candidates(
        self, kind: str, fingerprint: Fingerprint, own_path: str
    ) -> Iterator[tuple[ReadScript, Place, int]]:
        """New scripts and places that may be the same, then those of the tree, and how often they are there."""
        for known in (self._new.get((kind, fingerprint.shape)), self._bags.get((kind, fingerprint.bag))):
            if known is not None:
                yield *known, 1
        if self.corpus is None:
            return
        places: list[tuple[Place, int]] = []
        if kind == "script":
            places += [
                (Place(path, 1, 0, 0, -1), 1)
                for path in self.corpus.same_scripts(fingerprint.shape)
                if path != own_path
            ]
        else:
            same = self.corpus.same(kind, fingerprint.bag, fingerprint.shape, but=own_path)
            places += [same] if same else []
        places += [(place, 1) for place in self.corpus.candidates(kind, fingerprint.bag, but=own_path)]
        for place, times in places:
            other = self._load(place.path)
            if other is not None:
                last = len(other.statements) if place.last < 0 else place.last
                yield other, place._replace(last=last), times

    def _statements(self, script: ReadScript, own_path: str) -> Iterator[Finding]:
        if self.corpus is None:
            return
        for number, (typed, line, _session) in enumerate(script.statements):
            bag = typed.statement.bag
            same = self.corpus.same("statement", bag, typed.digest, but=own_path)
            if same is not None:
                place, times = same
                verdict = Verdict("shape")
                yield Finding(
                    "statement", script.path, line, line, verdict.level, f"{place.path}:{place.line}", (), times
                )
                continue
            for place in self.corpus.candidates("statement", bag, but=own_path, limit=3):
                other = self._load(place.path)
                verdict = _on_line(typed, other, place.line) if other else Verdict("distinct")
                if verdict.duplicate:
                    yield _finding("statement", script, (number, number + 1), place, verdict, 1)
                    break

    def _variant(self, script: ReadScript, block: Block, own_path: str) -> Finding | None:
        """The block of the tree that most resembles ``block``, if it is near: the rarest common statements vote."""
        assert self.corpus is not None  # noqa: S101 - asked for only then
        votes: Counter[str] = Counter()
        for typed, _, _ in script.statements[block.first : block.last]:
            same = self.corpus.same("statement", typed.statement.bag, typed.digest, but=own_path)
            if same is not None:
                votes[same[0].path] += round(1000 / same[1])
        mine = _typed(script, block.first, block.last)
        best: tuple[int, Finding] | None = None
        for path, _ in votes.most_common(_MOST_VARIANTS):
            other = self._load(path)
            for there in other.blocks if other else ():
                if abs((there.last - there.first) - len(mine)) > len(mine) // 4:
                    continue
                verdict = compare(mine, _typed(other, there.first, there.last)) if other else Verdict("distinct")
                if verdict.level == "near" and (best is None or len(verdict.differs_in) < best[0]):
                    place = Place(path, there.first_line, there.last_line, there.first, there.last)
                    found = _finding("block", script, (block.first, block.last), place, verdict, 1)
                    best = (len(verdict.differs_in), found)
        return best[1] if best else None

    def _remember(self, script: ReadScript) -> None:
        end = len(script.statements)
        entries = [("script", script.fingerprint, Place(script.path, 1, 0, 0, end))]
        entries += [
            ("block", block.fingerprint, Place(script.path, block.first_line, block.last_line, block.first, block.last))
            for block in script.blocks
        ]
        for kind, fingerprint, place in entries:
            self._new.setdefault((kind, fingerprint.shape), (script, place))
            self._bags.setdefault((kind, fingerprint.bag), (script, place))

    def _read_existing(self, path: str) -> ReadScript | None:
        """A script of the tree; None when it is gone."""
        assert self.corpus is not None  # noqa: S101
        try:
            return self._reader.read(parse_script(read_text(Path(self.corpus.root, path)), path))
        except BadCaseError:
            return None


def _typed(script: ReadScript, first: int, last: int) -> Sequence[Typed]:
    return [one.typed for one in script.statements[first:last]]


def _on_line(typed: Typed, other: ReadScript, line: int) -> Verdict:
    for placed in other.statements:
        if placed.line == line and placed.typed.statement.bag == typed.statement.bag:
            return compare([typed], [placed.typed])
    return Verdict("distinct")


def _finding(  # noqa: PLR0913
    kind: str, script: ReadScript, bounds: tuple[int, int], place: Place, verdict: Verdict, times: int
) -> Finding:
    first, last = script.statements[bounds[0]], script.statements[bounds[1] - 1]
    existing = f"{place.path}:{place.line}" if kind != "script" else place.path
    return Finding(kind, script.path, first.line, last.line, verdict.level, existing, verdict.differs_in, times)
