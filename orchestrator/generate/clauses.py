"""Clauses of statements by name: what a person would list when asked what a statement tries, apart from its calls.

Words of the grammar that are not here are still seen, one by one and in pairs; a name of its own says that a clause is
worth as much as a function.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from orchestrator.cases.sql.words import KEYWORDS

_PAIRS = """
group by|order by|cluster by|primary key|foreign key|for update|with rollup|grouping sets|union all
or replace|insert ignore|skip locked|nulls first|nulls last|share mode|with parser|fulltext key
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
infile parallel case unique desc window qualify online format compression grouping force_sync filepath within
op_type immutable
"""
#: Words that are a clause alone.
WORDS: Final = frozenset(_WORDS.split())
_JOINS: Final = frozenset({"inner", "left", "right", "full", "cross", "natural", "dedup"})
_PARTITIONED: Final = frozenset({"range", "list", "hash", "key", "linear"})
#: Where the clauses of a statement begin at the earliest.
_FIRST = 2
#: Words for the same.
_SAME: Final = {
    "index": {"use": "index hint", "force": "index hint", "ignore": "index hint", "fulltext": "fulltext key"}
}
_ACTIONS: Final = frozenset({"cascade", "restrict", "set", "no"})
#: After these ``key`` and ``index`` do not begin an index of their own.
_KEYED: Final = frozenset(
    {"primary", "foreign", "unique", "fulltext", "duplicate", "by", "cluster", "add", "drop", "create"}
)
#: Clauses of more words than those that stand beside each other.
NAMED: Final = ("scalar query", "derived table", "comma join", "default expression", "default value", "index in create")


def clause(words: Sequence[str], at: int, *, defines: bool, inside: bool = False, called: bool = False) -> str:
    """The clause that the word at a position begins or is; empty when it is none of its own.

    ``words`` are lower case, an opening parenthesis taken off. ``inside`` says that the word stands in parentheses,
    ``called`` that one follows it or the word after it.
    """
    word = words[at]
    near = (*words[at + 1 : at + 4], "", "", "")[:3]
    if word == "join":
        return _join(words, at)
    if word == "desc" and at < _FIRST:
        return ""  # describes a table
    named = _defined(words, at, near, inside=inside, called=called) if defines else _queried(words, at)
    return named or _plain(word, *near[:2])


def _defined(words: Sequence[str], at: int, near: Sequence[str], *, inside: bool, called: bool) -> str:  # noqa: PLR0911 - one a clause
    """A clause of a definition: what its words mean depends on what stands around them."""
    word, after, third, fourth = words[at], *near
    if (word, after) == ("partition", "by") and third in _PARTITIONED:
        return f"partition by {third}"
    if (word, after) == ("primary", "key") and fourth == "," and third not in KEYWORDS:
        return "primary key composite"
    if word == "on" and after in {"update", "delete"}:
        return f"on {after} {third if third in _ACTIONS else 'now'}"
    if word == "using" and after.isidentifier():
        return f"index using {after}"
    if word == "default" and after != "null":
        return "default expression" if called else "default"
    before = words[at - 1] if at else ""
    if word in {"key", "index"} and inside and before not in _KEYED and after.strip("`").isidentifier():
        return "index in create"
    return ""


def _queried(words: Sequence[str], at: int) -> str:
    """A clause of anything but a definition."""
    word = words[at]
    if word == "default":
        return "default value"
    if word == "using" and words[0] in {"select", "with", "explain"}:
        return "join using"
    return "common table" if word == "as" and words[:1] == ["with"] and at == _FIRST else ""


def _plain(word: str, after: str, third: str) -> str:
    if (word, after, third) == ("on", "duplicate", "key"):
        return "on duplicate key"
    if (word, after) == ("partition", "by"):
        return "window partition by"
    if (word, after) in PAIRS:
        return _SAME.get(after, {}).get(word, f"{word} {after}")
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
