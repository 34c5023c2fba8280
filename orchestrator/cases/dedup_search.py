"""What new scripts repeat: of one another first, then of what a tree already tests.

The index finds what may be the same; the scripts themselves are compared before anything is called a duplicate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from orchestrator.cases.corpus import Corpus, Known, Place
from orchestrator.cases.dedup import DUPLICATE, Level, Verdict, compare
from orchestrator.cases.discover import read_text
from orchestrator.cases.fingerprint import Fingerprint, Typed
from orchestrator.cases.fingerprint_script import Block, Reader, ReadScript
from orchestrator.cases.script import parse_script
from orchestrator.cases.sql.statement import has_unordered
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
        self._same = lru_cache(maxsize=4096)(self._in_tree)  # what every script says is the dearest to count

    def read(self, text: str, path: str) -> ReadScript:
        """The new script ``text``, to be looked up."""
        return self._reader.read(parse_script(text, path))

    def look_up(self, script: ReadScript, own_path: str = "", *, advise: bool = True) -> Iterator[Finding]:
        """What ``script`` repeats, and with ``advise`` what its new blocks are variants of.

        ``own_path`` is its path in the tree, when it is there already.
        """
        if not script.statements:
            return
        known = [self._known(placed.typed, own_path) for placed in script.statements]
        whole = self._find("script", script, script.fingerprint, (0, len(script.statements)), own_path)
        if whole is not None:
            yield whole
        for block in script.blocks:
            if block.checks and block.last - block.first > 1 and whole is None:
                bounds = (block.first, block.last)
                found = self._find("block", script, block.fingerprint, bounds, own_path)
                if found is None and advise:
                    found = self._variant(script, block, known[block.first : block.last])
                if found is not None:
                    yield found
        yield from self._statements(script, known, own_path)
        self._remember(script)

    def _known(self, typed: Typed, own_path: str) -> Known | None:
        return self._same(typed.statement.bag, typed.digest, typed.statement.exact, own_path)

    def _in_tree(self, bag: int, digest: bytes, exact: bytes, own_path: str) -> Known | None:
        return self.corpus.same("statement", bag, digest, exact, but=own_path) if self.corpus else None

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
        for earlier in (self._new.get((kind, fingerprint.shape)), self._bags.get((kind, fingerprint.bag))):
            if earlier is not None:
                yield *earlier, 1
        for place, times in self._places(kind, fingerprint, own_path):
            other = self._load(place.path)
            if other is not None and len(other.statements) >= place.last:
                yield other, place, times

    def _places(self, kind: str, fingerprint: Fingerprint, own_path: str) -> Iterator[tuple[Place, int]]:
        if self.corpus is None:
            return
        if kind == "block":
            known = self.corpus.same(kind, fingerprint.bag, fingerprint.shape, fingerprint.exact, but=own_path)
            if known is not None:
                yield known.place, known.times
        for place in self.corpus.candidates(kind, fingerprint.bag, but=own_path):
            yield place, 1

    def _statements(self, script: ReadScript, known: Sequence[Known | None], own_path: str) -> Iterator[Finding]:
        if self.corpus is None:
            return
        for number, (typed, line, _session) in enumerate(script.statements):
            same = known[number]
            if same is not None:
                level: Level = "exact" if same.exact else "shape"
                existing = f"{same.place.path}:{same.place.line}"
                yield Finding("statement", script.path, line, line, level, existing, (), same.times)
                continue
            if not has_unordered(typed.statement.shape):
                continue
            for place in self.corpus.candidates("statement", typed.statement.bag, but=own_path, limit=3):
                verdict = self._on_line(typed, place)
                if verdict.duplicate:
                    yield _finding("statement", script, (number, number + 1), place, verdict, 1)
                    break

    def _on_line(self, typed: Typed, place: Place) -> Verdict:
        """The verdict on the statements of ``place``'s line that may be ``typed`` reordered."""
        other = self._load(place.path)
        for placed in other.statements if other else ():
            if placed.line == place.line and placed.typed.statement.bag == typed.statement.bag:
                verdict = compare([typed], [placed.typed])
                if verdict.duplicate:
                    return verdict
        return Verdict("distinct")

    def _variant(self, script: ReadScript, block: Block, known: Sequence[Known | None]) -> Finding | None:
        """The block of the tree that most resembles ``block``, if it is near: the rarest common statements vote."""
        votes: Counter[str] = Counter()
        for same in filter(None, known):
            votes[same.place.path] += round(1000 / same.times)
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


def _finding(  # noqa: PLR0913
    kind: str, script: ReadScript, bounds: tuple[int, int], place: Place, verdict: Verdict, times: int
) -> Finding:
    first, last = script.statements[bounds[0]], script.statements[bounds[1] - 1]
    existing = f"{place.path}:{place.line}" if kind != "script" else place.path
    return Finding(kind, script.path, first.line, last.line, verdict.level, existing, verdict.differs_in, times)
