"""Types and data varied: a near case's table with a column of another type, filled with values at that type's edges.

Which type is what the change is about: an aspect ``over decimal`` of the evidence. Queries over such a table exercise
it. The column takes the place of one of the same family that nothing else of its table refers to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from orchestrator.cases.sql.lexer import tokenize
from orchestrator.cases.sql.tokens import joined, opens, word_of
from orchestrator.generate.chance import Chance
from orchestrator.generate.columns import edges, family
from orchestrator.generate.expressions import column_types
from orchestrator.generate.library import LibraryScript, Statement, read_script

#: A column with one of these has a part in more than its own values.
_BOUND = frozenset({
    "primary", "unique", "key", "auto_increment", "references", "default", "generated", "as", "check", "on",
})  # fmt: skip

#: Statements that work on the values of a column.
_WORKS = frozenset({"select", "with", "update", "delete"})


def retyped(script: LibraryScript, kind: str, chance: Chance) -> tuple[LibraryScript, frozenset[int]] | None:
    """The script with one column of that type more, and where queries over it stand; ``None`` when there is none."""
    for at, one in enumerate(script.statements):
        if one.plain and not one.fails and len(one.made) == 1 and one.made[0][0] == "table":
            for column in _candidates(one, kind):
                found = _varied(script, at, column, kind, chance)
                if found is not None:
                    return found
    return None


def _candidates(created: Statement, kind: str) -> Iterator[str]:
    names = [word_of(token) for token in created.tokens]
    for column, own in column_types(created.tokens).items():
        if own != kind and family(own.removesuffix(" unsigned")) == family(kind) and names.count(column) == 1:
            yield column


def _varied(
    script: LibraryScript, at: int, column: str, kind: str, chance: Chance
) -> tuple[LibraryScript, frozenset[int]] | None:
    created = script.statements[at]
    declared = _declared(created.tokens, column, edges(kind, chance).declared)
    if declared is None:
        return None
    table = created.made[0][1]
    place = list(column_types(created.tokens)).index(column)
    statements, positions = list(script.statements), set[int]()
    statements[at] = _read(joined(declared), created)
    for later in range(at + 1, len(statements)):
        one = statements[later]
        if not one.plain or table not in one.names:
            continue
        if any(name == table for _, name in one.made):
            break  # another table of that name
        head = [word_of(token) for token in one.tokens[:3]]
        if head == ["insert", "into", table]:
            statements[later] = _read(joined(_filled(one.tokens, column, place, edges(kind, chance).values)), one)
        elif head[0] in _WORKS and not {column, "*"}.isdisjoint(one.names):
            positions.add(later)
            statements[later] = replace(one, aspects=(*one.aspects, f"over {kind}"))
    return (replace(script, statements=tuple(statements)), frozenset(positions)) if positions else None


def _read(sql: str, before: Statement) -> Statement:
    found = read_script(f"{sql};\n").statements
    return found[0] if len(found) == 1 else before


def _declared(tokens: Sequence[str], column: str, declared: str) -> list[str] | None:
    """The definition with another type for a column; ``None`` when more than a type stands there."""
    at = next(position for position, token in enumerate(tokens) if word_of(token) == column)
    end, depth = at + 1, 0
    while end < len(tokens) and (depth or tokens[end] not in {",", ")"}):
        depth += opens(tokens[end]) - (tokens[end] == ")")
        end += 1
    rest = [word_of(token) for token in tokens[at + 1 : end]]
    if not _BOUND.isdisjoint(rest):
        return None
    kept = ["not", "null"] if rest[-2:] == ["not", "null"] else []
    return [*tokens[: at + 1], *tokenize(declared), *kept, *tokens[end:]]


def _filled(tokens: Sequence[str], column: str, place: int, values: Sequence[str]) -> list[str]:
    """An insert with the values of a type, in turn, where it gives the column a value."""
    begun = next((at for at, token in enumerate(tokens) if word_of(token) == "values"), len(tokens))
    listed = [word_of(token) for token in tokens[3:begun] if token not in {"(", ",", ")"}]
    if listed and column not in listed:
        return list(tokens)
    place = listed.index(column) if listed else place
    found, depth, item, row = list(tokens), 0, 0, 0
    for at in range(begun, len(tokens)):
        token = tokens[at]
        depth += opens(token) - (token == ")")
        if depth == 1 and (opens(token) or token == ","):
            item = 0 if opens(token) else item + 1
            alone = set(tokens[at + 2 : at + 3]) <= {",", ")"} and tokens[at + 1].lower() != "null"
            if item == place and alone:
                found[at + 1] = values[row % len(values)]
                row += 1
    return found
