"""Variants of a query through its tree: one step from it in the dimension that is asked for, everything else kept.

A dimension is an aspect (`orchestrator.generate.aspects`): ``clause full join``, ``operator <=>``, ``call lag 2 null``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlglot import exp

from orchestrator.cases.sql.lexer import tokenize
from orchestrator.cases.sql.syntax import read_tree
from orchestrator.generate.aspects import aspects

#: A sqlglot tree, which mypy cannot see through the compiled build.
Tree = Any
#: By kind of argument what is put there: NULL, boundaries, and what is of another type.
_VALUES: Final = {
    "null": "null", "negative": "-1", "integer": "0", "decimal": "0.5", "text": "'a'", "empty": "''", "truth": "true",
    "temporal": "'2024-02-29 23:59:59'", "document": "'{\"a\": [1, null]}'", "float": "1e10", "hex": "0xFF",
}  # fmt: skip
_NOT_FIRST: Final = re.compile(r"\bNOT ([\w.`]+) (IN|LIKE|BETWEEN)\b")
_COMPARED: Final = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ)
_OPERATORS: Final[dict[str, Callable[..., Tree]]] = {
    "<=>": exp.NullSafeEQ, "!=": exp.NEQ, "xor": exp.Xor, "div": exp.IntDiv, "%": exp.Mod, "&": exp.BitwiseAnd,
    "|": exp.BitwiseOr, "^": exp.BitwiseXor, "<<": exp.BitwiseLeftShift, ">>": exp.BitwiseRightShift,
}  # fmt: skip
_ARITHMETIC: Final = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.IntDiv, exp.BitwiseAnd, exp.BitwiseOr)
_SETS: Final[dict[str, tuple[Callable[..., Tree], bool]]] = {
    "union": (exp.Union, True), "union all": (exp.Union, False), "intersect": (exp.Intersect, True),
    "intersect all": (exp.Intersect, False), "except": (exp.Except, True), "except all": (exp.Except, False),
}  # fmt: skip
_EXPLAINED: Final = (
    "statement explain",
    "statement explain analyze",
    "statement explain verbose",
    "statement explain phyplan",
)


def variants(sql: str, dimension: str, arities: Sequence[int] = ()) -> Iterator[str]:
    """Variants of a query that exercise a dimension it does not exercise; none when there is no such step.

    ``arities`` are the numbers of arguments that a function takes, where the dimension is one.
    """
    tokens, own, tree = _read(sql)
    if not tokens or tokens[0].lower() not in {"select", "with", "("} or dimension in own:
        return
    if dimension in _EXPLAINED:
        if not any(one.lower() == "from" for one in tokens):
            return  # a plan without a table tells nothing
        yield f"{dimension.partition(' ')[2]} {sql}"
        return
    if not isinstance(tree, (exp.Select, exp.SetOperation)):
        return
    kind, _, what = dimension.partition(" ")
    called = _called(own)
    for changed in _CHANGES.get(kind, _nothing)(tree, what, arities):
        text = _text(changed)
        found = aspects(text)
        if dimension in found and called <= _called(found) | _replaced(dimension, called):
            yield text


@lru_cache(maxsize=512)
def _read(sql: str) -> tuple[tuple[str, ...], tuple[str, ...], Tree]:
    """Tokens, aspects and tree of a query, which is asked for once a dimension; whoever changes the tree copies it."""
    tokens = tuple(tokenize(sql))
    return tokens, tuple(aspects(tokens)), read_tree(tokens) if tokens else None


def _text(tree: Tree) -> str:
    """The SQL of a tree. MySQL has no full join, and the writer for MySQL would write something else for one."""
    for join in tree.find_all(exp.Join):
        if str(join.args.get("side") or "").upper() == "FULL":
            join.set("method", f"{join.args.get('method') or ''} FULL".strip())
            join.set("side", None)
    text: str = tree.sql(dialect="mysql")
    return _NOT_FIRST.sub(r"\1 NOT \2", text)


def _called(found: Sequence[str]) -> frozenset[str]:
    return frozenset(one for one in found if one.startswith("call ") and one.count(" ") == 1)


def _replaced(dimension: str, called: frozenset[str]) -> frozenset[str]:
    """Functions that may be gone: one that another took the place of."""
    return called if dimension.startswith("call ") and dimension.count(" ") == 1 else frozenset()


def _nothing(tree: Tree, what: str, arities: Sequence[int]) -> Iterator[Tree]:
    return iter(())


def _clauses(tree: Tree, what: str, arities: Sequence[int]) -> Iterator[Tree]:
    if what.endswith("join"):
        yield from _joins(tree, what.removesuffix("join").split())
    elif what in _SETS and isinstance(tree, exp.SetOperation):
        made, distinct = _SETS[what]
        yield made(this=tree.this.copy(), expression=tree.expression.copy(), distinct=distinct)
    elif isinstance(tree, exp.Select):
        yield from _of_select(tree.copy(), what)


def _joins(tree: Tree, words: Sequence[str]) -> Iterator[Tree]:
    """Each join of the query in turn as another kind of join."""
    for at, join in enumerate(tree.find_all(exp.Join)):
        if not join.args.get("on") and not join.args.get("using"):
            continue
        changed = tree.copy()
        other = list(changed.find_all(exp.Join))[at]
        plain = not {"natural", "cross"}.isdisjoint(words)
        for name, value in (
            ("side", next((one.upper() for one in words if one in {"left", "right", "full"}), None)),
            ("method", "NATURAL" if "natural" in words else None),
            ("kind", "CROSS" if "cross" in words else None),
        ):
            other.set(name, value)
        if plain:
            other.set("on", None)
            other.set("using", None)
        yield changed


def _of_select(tree: Tree, what: str) -> Iterator[Tree]:
    """The query with one clause more."""
    group = tree.args.get("group")
    if what == "for update" and not group and not tree.args.get("distinct"):
        tree.set("locks", [exp.Lock(update=True)])
    elif what == "distinct" and not tree.args.get("distinct"):
        tree.set("distinct", exp.Distinct())
    elif what == "with rollup" and group:
        group.set("rollup", [exp.Rollup(expressions=[])])
    elif what == "having" and group:
        tree.set("having", exp.Having(this=exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(0))))
    elif what in {"limit", "offset"} and tree.args.get("order"):
        tree.set("limit", exp.Limit(expression=exp.Literal.number(2)))
        if what == "offset":
            tree.set("offset", exp.Offset(expression=exp.Literal.number(1)))
    else:
        return
    yield tree


def _operators(tree: Tree, what: str, arities: Sequence[int]) -> Iterator[Tree]:
    """One comparison or calculation of the query with another operator."""
    word, negated = what.removeprefix("not "), what.startswith("not ")
    if word in {"in", "like", "between"} and negated:
        yield from _each(tree, (exp.In, exp.Like, exp.Between), lambda one: exp.Not(this=one.copy()))
    elif word in {"in", "in tuple"}:
        yield from _each(tree, (exp.EQ,), lambda one: _in(one, rows=word != "in"))
    elif word == "between":
        yield from _each(tree, (exp.EQ, exp.GT, exp.GTE), _between)
    elif word in _OPERATORS:
        made = _OPERATORS[word]
        among = _COMPARED if word in {"<=>", "!="} else (exp.And,) if word == "xor" else _ARITHMETIC
        yield from _each(tree, among, lambda one: made(this=one.this.copy(), expression=one.expression.copy()))


def _in(one: Tree, *, rows: bool) -> Tree:
    left, right = one.this.copy(), one.expression.copy()
    if not rows:
        return exp.In(this=left, expressions=[right, exp.Null()])
    return exp.In(
        this=exp.Tuple(expressions=[left, left.copy()]), expressions=[exp.Tuple(expressions=[right, right.copy()])]
    )


def _between(one: Tree) -> Tree:
    return exp.Between(this=one.this.copy(), low=one.expression.copy(), high=one.expression.copy())


def _calls(tree: Tree, what: str, arities: Sequence[int]) -> Iterator[Tree]:
    """Another argument for a call, or another function instead of one, or around a column."""
    name, *rest = what.split(" ")
    if rest:
        position, kind = int(rest[0]) - 1, rest[1]
        value = _VALUES.get(kind)
        if value is not None:
            yield from _each(tree, (exp.Anonymous,), lambda one: _argued(one, name, position, value))
        return
    yield from _each(tree, (exp.Anonymous,), lambda one: _renamed(one, name, arities))
    if 1 in arities and isinstance(tree, exp.Select) and not tree.args.get("group"):
        for at, item in enumerate(tree.expressions):
            if isinstance(item, exp.Column):
                changed = tree.copy()
                changed.expressions[at].replace(exp.Anonymous(this=name, expressions=[item.copy()]))
                yield changed


def _argued(one: Tree, name: str, position: int, value: str) -> Tree | None:
    if one.name.lower() != name or position >= len(one.expressions):
        return None
    arguments = [argument.copy() for argument in one.expressions]
    arguments[position] = read_tree(("select", *tokenize(value))).expressions[0].copy()
    return exp.Anonymous(this=one.name, expressions=arguments)


def _renamed(one: Tree, name: str, arities: Sequence[int]) -> Tree | None:
    if one.name.lower() == name or len(one.expressions) not in arities:
        return None
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in one.expressions])


def _each(tree: Tree, among: tuple[Any, ...], change: Callable[[Tree], Tree | None]) -> Iterator[Tree]:
    """The query with each node of some kinds replaced in turn."""
    for at, node in enumerate(tree.find_all(*among)):
        other = change(node)
        if other is not None:
            changed = tree.copy()
            list(changed.find_all(*among))[at].replace(other)
            yield changed


_CHANGES: Final[dict[str, Callable[[Tree, str, Sequence[int]], Iterator[Tree]]]] = {
    "clause": _clauses,
    "operator": _operators,
    "call": _calls,
}
