"""Statements that administer rather than ask: a node with the name of its family, generic inside.

sqlglot keeps the text of most of these only, and its compiled build takes no new node classes. So each is an
`exp.Command` with more arguments than sqlglot gives it: ``kind`` is the family, ``this`` the verb, ``expressions`` the
parts: words, identifiers, literals, and groups in parentheses, brackets or braces, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType


def _by_word(families: dict[str, str]) -> dict[str, str]:
    return {word: family for family, words in families.items() for word in words.split()}


#: The family of a statement by its first word, whatever follows.
_BY_FIRST = _by_word(
    {
        "data branch": "data",
        "load data": "load import",
        "maintenance": "analyze backup check checkpoint flush lock modump optimize rebuild rename repair unlock "
        "upgrade",
        "prepared statement": "prepare execute deallocate",
        "privilege": "grant revoke",
        "restore": "restore",
        "routine": "call delimiter do declare end leave if while elseif else loop repeat iterate case until",
        "session": "set use kill unset",
        "show": "show",
        "stage": "remove",
        "task": "pause resume cancel restart",
        "transaction": "begin start commit rollback savepoint release",
    }
)
#: The family of CREATE, ALTER and DROP by what they are about.
_BY_OBJECT = _by_word(
    {
        "account": "account",
        "cdc": "cdc",
        "external table": "external dynamic",
        "iceberg": "connector source catalog iceberg connection mongodb",
        "pitr": "pitr",
        "publication": "publication subscription ccpr",
        "role": "role",
        "routine": "function procedure trigger",
        "sequence": "sequence",
        "snapshot": "snapshot",
        "stage": "stage credentials datalink secret",
        "task": "task event",
        "user": "user",
    }
)
_ABOUT = frozenset({"create", "alter", "drop"})
_NOT_THE_OBJECT = frozenset({"or", "replace", "if", "not", "exists", "cluster", "aggregate"})
#: Index methods of MatrixOne's own (its grammar's ``index_type``); CREATE INDEX with one is generic.
_METHODS = frozenset({"ivfflat", "hnsw", "cagra", "ivfpq", "master", "bm25", "fulltext2", "rtree"})

_GROUPS: dict[TokenType, type[Any]] = {
    TokenType.L_PAREN: exp.Tuple,
    TokenType.L_BRACE: exp.Struct,
    TokenType.L_BRACKET: exp.Array,
}
_BRACKETS: dict[type[Any], str] = {exp.Tuple: "()", exp.Struct: "{}", exp.Array: "[]"}
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACE, TokenType.R_BRACKET})


def family_of(words: Sequence[str]) -> str | None:
    """The family of the statement that starts with ``words`` (lower case); None for SQL that sqlglot parses."""
    if not words:
        return None
    first = words[0].partition(" ")[0]  # "lock tables" is one token
    if first in _ABOUT:
        index = 1
        while index < len(words) and words[index] in _NOT_THE_OBJECT:
            index += 1
        about = words[index] if index < len(words) else ""
        if about in _BY_OBJECT:
            return _BY_OBJECT[about]
        return _index_family(words) if "index" in words or "reindex" in words else _copy_family(words)
    return _BY_FIRST.get(first)


def _index_family(words: Sequence[str]) -> str | None:
    if words[1] in _METHODS or words[1] in ("fulltext", "spatial") or "reindex" in words:
        return "special index"
    if "index" in words[1:3] and "using" in words:
        after = words[words.index("using") + 1 : words.index("using") + 2]
        return "special index" if not _METHODS.isdisjoint(after) else None
    return None


def _copy_family(words: Sequence[str]) -> str | None:
    """CREATE … CLONE and CREATE DATABASE … FROM … PUBLICATION take their content from elsewhere."""
    if words[:2] == ["create", "cluster"]:
        return "cluster table"
    if words[:2] == ["create", "database"] and "publication" in words:
        return "publication"
    return "clone" if words[0] == "create" and "clone" in words[:10] else None


def build(family: str, tokens: Sequence[Token]) -> Any:  # noqa: ANN401 - the classes of the compiled build are opaque
    """The node of one statement's ``tokens``."""
    parts: list[Any] = []
    above: list[tuple[type[Any], list[Any]]] = []
    for token in tokens[1:]:
        if token.token_type in _GROUPS:
            above.append((_GROUPS[token.token_type], parts))
            parts = []
        elif token.token_type in _CLOSING and above:
            parts = _closed(above, parts)
        else:
            parts.append(_part(token))
    while above:
        parts = _closed(above, parts)
    return exp.Command(this=tokens[0].text.lower(), kind=family, expressions=parts)


def _closed(above: list[tuple[type[Any], list[Any]]], inside: list[Any]) -> list[Any]:
    group, outer = above.pop()
    return [*outer, group(expressions=inside)]


def _part(token: Token) -> Any:  # noqa: ANN401
    if token.token_type == TokenType.STRING:
        return exp.Literal.string(token.text)
    if token.token_type == TokenType.NUMBER:
        return exp.Literal.number(token.text)
    if token.token_type == TokenType.IDENTIFIER:
        return exp.to_identifier(token.text, quoted=True)
    return exp.var(token.text)


def family_of_tree(tree: Any) -> str | None:  # noqa: ANN401
    """The family of a node that `build` made; None for any other."""
    return tree.args.get("kind") if isinstance(tree, exp.Command) else None


def administrative_sql(node: Any, sql: Callable[[Any], str]) -> str:  # noqa: ANN401
    """The text of a node that `build` made, ``sql`` being that of any other."""
    if family_of_tree(node):
        parts = [administrative_sql(part, sql) for part in node.expressions]
        return " ".join([node.this.upper(), *parts])
    brackets = _BRACKETS.get(type(node))
    if brackets:
        inside = " ".join(administrative_sql(part, sql) for part in node.expressions)
        return f"{brackets[0]}{inside}{brackets[1]}"
    return sql(node)
