"""A statement's sqlglot tree as a `Node`: AND, OR, IN and GROUP BY without order, INSERT by column.

The parts of a node come in the order of their argument's name; what sqlglot leaves out of a tree (comments, hints,
spellings) is compared by the statement's bag of codes, never here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlglot import exp
from sqlglot.errors import SqlglotError

from orchestrator.cases.sql.codes import LITERAL, TIMES, VALUE, code_of, literal_value
from orchestrator.cases.sql.dialect import MatrixOne
from orchestrator.cases.sql.statement import Shape, coded
from orchestrator.cases.sql.tree import Node

_DIALECT = MatrixOne()
#: Words of a join that may be left out.
_NO_DIFFERENCE = ("INNER", "OUTER")
#: The parser recurses on these: its compiled build may crash, and it takes the square of the time of many joins.
_NESTS = ("select", "join", "case", "explain", "with")
_MAY_NEST = frozenset(word[0] for word in _NESTS) | frozenset(word[0].upper() for word in _NESTS)
_MOST_NESTED, _LONGEST = 300, 50_000
#: Deeper trees than this are compared by their tokens only.
_DEEPEST = 200


def parse_tree(tokens: Sequence[str], shape: Shape) -> Node | None:
    """The tree of one statement without comments and hints; None when no parser reads it, or when it is too deep."""
    tree = read_tree(tuple(tokens))
    if tree is None:
        return None
    try:
        return _Reader(tokens, shape).node(tree, 0)
    except _TooDeepError:
        return None


@lru_cache(maxsize=512)
def read_tree(tokens: tuple[str, ...]) -> Any:  # noqa: ANN401 - exp.Expression, which mypy cannot see through the compiled build
    """The sqlglot tree of one statement; None where it reads none, or more than one.

    The parser's time and stack are bounded by the words that nest: past so many of them it is not asked.
    """
    nesting = Counter(token.lower().rstrip("( \t\r\n") for token in tokens if token[0] in _MAY_NEST)
    if len(tokens) > _LONGEST or any(nesting[word] > _MOST_NESTED for word in _NESTS):
        return None
    try:
        trees = _DIALECT.parse(" ".join(tokens))
    except (SqlglotError, RecursionError, ValueError):
        return None
    return trees[0] if len(trees) == 1 else None


class _TooDeepError(Exception):
    """The tree is too deep to be walked."""


class _Reader:
    def __init__(self, tokens: Sequence[str], shape: Shape) -> None:
        #: (Code without its place, value) of a literal → how often it stands in the statement.
        self.times: Counter[tuple[str, str]] = Counter()
        #: The same → its code by its place, where it has only one.
        self.codes: dict[tuple[str, str], str] = {}
        for token, code in zip(*coded(tokens)[:2], strict=True):
            if code[:1] == LITERAL:
                key = (code_of(token), literal_value(token))
                placed = code.partition(TIMES)[0]
                self.codes[key] = placed if self.codes.get(key, placed) == placed else key[0]
                self.times[key] += 1
        self.names = frozenset(shape.names)

    def node(self, tree: Any, depth: int) -> Node:  # noqa: ANN401
        """The node of ``tree``."""
        if depth > _DEEPEST:
            raise _TooDeepError
        if isinstance(tree, exp.Identifier):
            return self._name(tree.name)
        if isinstance(tree, exp.Literal):
            return self._literal(tree)
        if isinstance(tree, exp.Connector):
            parts = [self.node(part, depth + 1) for part in _operands(tree)]
            return Node(tree.key, parts, unordered=not isinstance(tree, exp.Xor))
        if isinstance(tree, exp.Insert):
            columns = self._insert(tree, depth)
            if columns is not None:
                return columns
        return Node(*self._label_and_parts(tree, depth))

    def _label_and_parts(self, tree: Any, depth: int) -> tuple[str, list[Node]]:  # noqa: ANN401
        label, parts = [tree.key], []
        loose = _unordered_argument(tree)
        for key, value in sorted(tree.args.items()):
            if value is None or value is False or value == [] or (isinstance(value, str) and value in _NO_DIFFERENCE):
                continue
            if isinstance(value, list):
                inner = [self._part(item, depth) for item in value]
                parts.append(Node(key, inner, unordered=key == loose))
            elif isinstance(value, exp.Expression):
                parts.append(Node(key, [self.node(value, depth + 1)]))
            else:
                parts.append(Node(key, [self._part(value, depth)]))
        return label[0], parts

    def _part(self, value: Any, depth: int) -> Node:  # noqa: ANN401
        if isinstance(value, exp.Expression):
            return self.node(value, depth + 1)
        if isinstance(value, str):
            return self._name(value)
        return Node(repr(value))

    def _name(self, text: str) -> Node:
        lowered = text.lower()
        if lowered in self.names:
            return Node("name", name=lowered)
        if f"@{lowered}" in self.names:
            return Node("variable", name=f"@{lowered}")
        if "." in lowered:
            return Node(
                "path", [Node("name", name=part) if part in self.names else Node(part) for part in lowered.split(".")]
            )
        return Node(f"word {lowered}")

    def _literal(self, tree: Any) -> Node:  # noqa: ANN401
        token = "'" + tree.name.replace("\\", "\\\\").replace("'", "''") + "'" if tree.is_string else tree.name
        if not token:
            return Node("literal")
        value = literal_value(token)
        key = (code_of(token), value)
        code, times = self.codes.get(key, key[0]), self.times[key]
        if times < 2 or code[1:2] == "=":
            return Node(code)
        return Node(f"{code}{TIMES}{times}", name=VALUE + value)

    def _insert(self, tree: Any, depth: int) -> Node | None:  # noqa: ANN401
        """INSERT (columns) VALUES rows: the columns, each with its values, in any order."""
        target, values = tree.this, tree.expression
        if not isinstance(target, exp.Schema) or not isinstance(values, exp.Values):
            return None
        width = len(target.expressions)
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in values.expressions]
        if not width or any(len(row) != width for row in rows):
            return None
        columns = [
            Node("column", [self.node(column, depth + 1), *(self._part(row[place], depth) for row in rows)])
            for place, column in enumerate(target.expressions)
        ]
        rest = tree.copy() if len(rows) == 1 else _shallow(tree)
        rest.set("this", target.this.copy())
        rest.set("expression", None)
        label, parts = self._label_and_parts(rest, depth)
        return Node(f"{label} columns", [*parts, Node("columns", columns, unordered=True)])


def _shallow(tree: Any) -> Any:  # noqa: ANN401
    """``tree`` without its rows, which may be many."""
    return type(tree)(**{key: value for key, value in tree.args.items() if key not in ("this", "expression")}).copy()


def _operands(tree: Any) -> Iterator[Any]:  # noqa: ANN401
    """The operands of a chain of one connector, left to right, without recursion."""
    kind, stack = type(tree), [tree]
    while stack:
        part = stack.pop()
        if type(part) is kind:
            stack += [part.args["expression"], part.args["this"]]
        else:
            yield part


def _unordered_argument(tree: Any) -> str | None:  # noqa: ANN401
    """Which list of ``tree`` has no order."""
    if isinstance(tree, exp.In):
        return "expressions"
    if isinstance(tree, exp.Group) and not any(tree.args.get(key) for key in ("rollup", "cube", "grouping_sets")):
        return "expressions"
    return None
