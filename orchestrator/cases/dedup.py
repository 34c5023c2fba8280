"""Whether two pieces of SQL test the same, and if not, in what they differ.

Levels: ``exact`` (white space, comments and case apart), ``shape`` (names, literals within their class apart),
``reorder`` (AND, OR, IN, GROUP BY, INSERT columns in another order). These three are duplicates. ``near`` is advice
only: a variant that differs in little. Everything else is ``distinct``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final, Literal

from orchestrator.cases.fingerprint import Statement, Typed, read_statements, with_types
from orchestrator.cases.sql.codes import LITERAL, RANK, TIMES
from orchestrator.cases.sql.ddl import Tables
from orchestrator.cases.sql.statement import Shape, has_unordered
from orchestrator.cases.sql.tree import Matcher, Node

Level = Literal["exact", "shape", "reorder", "near", "distinct"]
DUPLICATE: Final = frozenset({"exact", "shape", "reorder"})

#: From this share of common codes on, what is no duplicate is called near.
_NEAR = 0.8
#: Longer statements are not compared code by code to say where they differ.
_LONGEST_DIFFERENCE = 4_000
_MOST_DIFFERENCES = 8
_NAME = re.compile(r"[#@]\d+[a-z]*")


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the same two pieces of SQL are. ``differs_in`` are short phrases, the weightiest first."""

    level: Level
    differs_in: tuple[str, ...] = ()

    @property
    def duplicate(self) -> bool:
        """Whether a tester would keep only one of the two."""
        return self.level in DUPLICATE


def compare_texts(left: str, right: str, left_context: str = "", right_context: str = "") -> Verdict:
    """Compare two texts of one or more statements; the contexts are DDL that only gives names their types."""
    sides = []
    for text, context in ((left, left_context), (right, right_context)):
        tables = Tables()
        if context:
            with_types(read_statements(context), tables)
        sides.append(with_types(read_statements(text), tables))
    return compare(*sides)


def compare(left: Sequence[Typed], right: Sequence[Typed]) -> Verdict:
    """Compare two sequences of statements."""
    if [typed.statement.exact for typed in left] == [typed.statement.exact for typed in right]:
        if [typed.types for typed in left] == [typed.types for typed in right]:
            return Verdict("exact")
        if not _same_types(left, right):
            return Verdict("near", ("column types",))
    alike = len(left) == len(right) and all(
        mine.statement.bag == yours.statement.bag for mine, yours in zip(left, right, strict=True)
    )
    if alike:
        reordered = _renaming(left, right)
        if reordered is not None:
            differences = ("order", *_surface(left, right)) if reordered else _surface(left, right)
            return Verdict("reorder" if reordered else "shape", differences)
    return Verdict(*_differences(left, right))


def _same_types(left: Sequence[Typed], right: Sequence[Typed]) -> bool:
    return all(sorted(mine.types) == sorted(yours.types) for mine, yours in zip(left, right, strict=True))


def _surface(left: Sequence[Typed], right: Sequence[Typed]) -> tuple[str, ...]:
    """What differs between duplicates."""
    found = []
    if any(mine.statement.shape.names != yours.statement.shape.names for mine, yours in zip(left, right, strict=True)):
        found.append("names")
    if _literals(left) != _literals(right):
        found.append("literals of the same class")
    return tuple(found) or ("spelling",)


def _literals(side: Sequence[Typed]) -> Counter[str]:
    return Counter(token for typed in side for token in typed.statement.tokens if token[0] in "'\".0123456789")


def _renaming(left: Sequence[Typed], right: Sequence[Typed]) -> bool | None:
    """Whether one renaming makes the sequences equal: False in the same order, True after reordering, None never."""
    matcher = Matcher()
    pairs = list(zip(left, right, strict=True))
    attempts: list[Iterator[bool]] = []
    reordered: list[bool] = []
    while len(attempts) < len(pairs) or len(reordered) < len(pairs):
        if len(attempts) == len(reordered):
            attempts.append(_ways(matcher, *pairs[len(attempts)], len(attempts)))
        try:
            reordered.append(next(attempts[-1]))
        except StopIteration:
            attempts.pop()
            if not attempts or matcher.budget < 0:
                return None
            reordered.pop()
    return any(reordered)


def _ways(matcher: Matcher, left: Typed, right: Typed, number: int) -> Iterator[bool]:
    """The ways to make two statements equal, as they stand (False) and reordered (True)."""
    mine, yours = left.statement, right.statement
    if mine.shape.codes == yours.shape.codes and left.types == right.types:
        bound = _bind_all(matcher, mine.shape.names, yours.shape.names)
        if bound is not None:
            yield False
            for name in bound:
                matcher.unbind(name)
    matcher.budget -= 10
    if matcher.budget < 0 or not has_unordered(mine.shape):
        return
    trees = tree_of(mine), tree_of(yours)
    if trees[0] is None or trees[1] is None:
        return
    for _ in matcher.ways([(trees[0], trees[1])], number):
        if _types_agree(matcher, left, right):
            yield True


def _bind_all(matcher: Matcher, left: Sequence[str], right: Sequence[str]) -> list[str] | None:
    bound: list[str] = []
    for mine, yours in zip(left, right, strict=True):
        new = matcher.bind(mine, yours)
        if new:
            bound.append(mine)
        elif new is False:
            for name in bound:
                matcher.unbind(name)
            return None
    return bound


def _types_agree(matcher: Matcher, left: Typed, right: Typed) -> bool:
    if not left.types and not right.types:
        return True
    mine = {matcher.there.get(name, name): kind for name, kind in _type_by_name(left).items() if kind}
    return mine == {name: kind for name, kind in _type_by_name(right).items() if kind}


def _type_by_name(typed: Typed) -> dict[str, str]:
    shape = typed.statement.shape
    return dict(zip((*shape.names, *shape.soft), typed.types, strict=False)) if typed.types else {}


def tree_of(statement: Statement) -> Node | None:
    """The tree of a statement, None where no parser reads it."""
    return _tree(statement.tokens, statement.shape)


@lru_cache(maxsize=256)
def _tree(tokens: tuple[str, ...], shape: Shape) -> Node | None:
    from orchestrator.cases.sql.syntax import parse_tree  # sqlglot: only for what is alike and not the same

    return parse_tree(tuple(_without_hints(tokens)), shape)


def _without_hints(tokens: Sequence[str]) -> Iterator[str]:
    inside = False
    for token in tokens:
        if token.startswith("/*+"):
            inside = True
        elif token == "*/":  # noqa: S105
            inside = False
        elif not inside and not token.startswith("/*!"):
            yield token


def _differences(left: Sequence[Typed], right: Sequence[Typed]) -> tuple[Level, tuple[str, ...]]:
    """How near two sequences are that are not the same, and the first things in which they differ."""
    mine = [typed.statement.shape.codes for typed in left]
    yours = [typed.statement.shape.codes for typed in right]
    near: Level = "near" if common_share(mine, yours) >= _NEAR else "distinct"
    if len(mine) != len(yours):
        return near, (f"{len(mine)} statements, {len(yours)} there",)
    found: list[str] = []
    for number, (one, other) in enumerate(zip(mine, yours, strict=True), 1):
        if one != other:
            where = f"statement {number}: " if len(mine) > 1 else ""
            found += [where + phrase for phrase in _phrases(one, other)]
        if len(found) >= _MOST_DIFFERENCES:
            break
    if not found:
        found = ["which names stand where" if left and left[0].types == right[0].types else "column types"]
    return near, tuple(found[:_MOST_DIFFERENCES])


def common_share(mine: Sequence[Sequence[str]], yours: Sequence[Sequence[str]]) -> float:
    """The share of codes that two sequences have in common, names counting as one."""
    counts = [Counter("#" if code[0] == "#" else code for codes in side for code in codes) for side in (mine, yours)]
    total = sum(map(Counter.total, counts))
    return 2 * (counts[0] & counts[1]).total() / total if total else 1.0


def _phrases(mine: Sequence[str], yours: Sequence[str]) -> Iterator[str]:
    if len(mine) + len(yours) > _LONGEST_DIFFERENCE:
        yield "long statements"
        return
    for kind, start, end, first, last in SequenceMatcher(None, mine, yours, autojunk=False).get_opcodes():
        if kind != "equal":
            yield f"{_spell(mine[start:end])} → {_spell(yours[first:last])}"


def _spell(codes: Sequence[str]) -> str:
    shown = " ".join(_readable(code) for code in codes[:6])
    return (f"{shown} …" if len(codes) > 6 else shown) or "nothing"


def _readable(code: str) -> str:
    if code[0] == LITERAL:
        return f"literal {code[1:].lstrip('=').partition(TIMES)[0].partition(RANK)[0][:40]!r}"
    return _NAME.sub("name", code)
