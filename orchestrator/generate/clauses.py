"""Clauses of statements by name: what a person would list when asked what a statement tries, apart from its calls.

Words of the grammar that are not here are still seen, one by one and in pairs; a name of its own says that a clause is
worth as much as a function.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_PAIRS = """
group by|order by|cluster by|primary key|foreign key|unique key|for update|with rollup|grouping sets|union all
or replace|insert ignore|skip locked|nulls first|nulls last|on update|on delete|share mode|with parser|fulltext key
fulltext index|generated always|use index|force index|ignore index|cross apply|outer apply|boolean mode
language mode|query expansion|character set|with ties|no action|as of|intersect all|except all|minus all
ignore lines|read only|check option|grant option|by rank|set null|set default|with recursive|current row
default null|if exists
"""
#: Two words that are one clause.
PAIRS: Final = frozenset(tuple(one.split()) for line in _PAIRS.strip().splitlines() for one in line.split("|"))
_WORDS = """
having limit offset distinct union intersect minus except cube lateral returning auto_increment stored virtual
check comment collate charset engine cascade restrict sample fill sliding nowait invisible visible reindex
straight_join partitions subpartition template over rows groups preceding following unbounded lists quantization
async enclosed escaped lines header increment cycle minvalue maxvalue separator retention url credentials filter
infile parallel
"""
#: Words that are a clause alone.
WORDS: Final = frozenset(_WORDS.split())
_JOINS: Final = frozenset({"inner", "left", "right", "full", "cross", "natural", "dedup"})
_PARTITIONED: Final = frozenset({"range", "list", "hash", "key", "linear"})


def clause(words: Sequence[str], at: int, *, defines: bool) -> str:
    """The clause that the word at a position begins or is; empty when it is none of its own.

    ``words`` are lower case, an opening parenthesis taken off.
    """
    word = words[at]
    after = words[at + 1] if at + 1 < len(words) else ""
    if word == "join":
        return _join(words, at)
    if word == "partition" and after == "by":
        kind = words[at + 2] if at + 2 < len(words) else ""
        return f"partition by {kind}" if defines and kind in _PARTITIONED else "window partition by"
    if word == "using" and not defines and words[0] in {"select", "with", "explain"}:
        return "join using"
    if word == "as" and words[:1] == ["with"] and at == 2:
        return "common table"
    return _plain(word, after, words[at + 2 : at + 3])


def _plain(word: str, after: str, third: Sequence[str]) -> str:
    if (word, after, *third) == ("on", "duplicate", "key"):
        return "on duplicate key"
    if (word, after) in PAIRS:
        return f"{word} {after}"
    return word if word in WORDS else ""


def joins(words: Sequence[str], at: int) -> bool:
    """Whether the word at a position only says how the ``join`` after it joins."""
    return words[at] in {*_JOINS, "outer"} and any(
        one == "join" and all(two in {*_JOINS, "outer"} for two in words[at:end])
        for end, one in enumerate(words[at : at + 4], at)
    )


def _join(words: Sequence[str], at: int) -> str:
    kinds = []
    while at and (words[at - 1] in _JOINS or words[at - 1] == "outer"):
        at -= 1
        kinds.append(words[at])
    named = [one for one in reversed(kinds) if one not in {"outer", "inner"}]
    return f"{' '.join(named)} join" if named else "join"
