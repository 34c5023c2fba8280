"""Power: of the faults that the demo's SQL cases let live, how many do generated cases find?

    python benchmarks/mutants.py [--seed N] [--format json]

The functions of ``examples/shop`` (discounts, taxes, what a cart costs, what is left) become SQL functions of an
embedded database. Each mutant changes one place of one function, in one of six ways: a boundary, NULL, a sign, off by
one, a type, a negated condition. A mutant that answers like the original for each of 30,000 arguments is no fault and
does not count. A case kills a mutant when it answers something else than on the original. The old cases are those of
``examples/shop/cases``, the new ones what `orchestrator.generate` writes for a change of these functions.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

if __package__ in {None, ""}:  # started as a file
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import duckdb
import sqlglot
from sqlglot import exp

from orchestrator.generate.generator import generate
from orchestrator.generate.history import Past
from orchestrator.generate.inputs import Inputs
from orchestrator.generate.library import Library
from orchestrator.generate.split import parts_of
from orchestrator.surface.model import ChangedFile, Kind, Overload, SqlFunction, Surface, Target

ROOT = Path(__file__).resolve().parents[1]
#: Of the mutants that the old cases let live, so many must die.
LEAST_KILLED, LEAST_MUTANTS = 0.8, 200
#: Function: (its arguments, its formula as the shop's Go code has it).
FORMULAS: dict[str, tuple[tuple[str, ...], str]] = {
    "discounted": (("price", "percent"), "(price * (100 - percent) + 50) // 100"),
    "with_tax": (("price", "percent"), "(price * (100 + percent) + 50) // 100"),
    "line_total": (("price", "pieces"), "coalesce(price * pieces, 0)"),
    "cart_total": (
        ("total", "member"),
        "select case when s = 0 or s >= 5000 then s else s + 495 end "
        "from (select case when member > 0 then (total * 90 + 50) // 100 else total end as s)",
    ),
    "cents_shown": (("cents", "least"), "case when cents < 0 then greatest(-cents % 100, least) else cents % 100 end"),
    "reserved": (
        ("stock", "pieces"),
        "case when pieces is null or pieces < 1 then -1 "
        "when coalesce(stock, 0) < pieces then -2 else stock - pieces end",
    ),
}
#: What the shop's SQL cases ask, in the same words; its cases ask nothing of a cart's shipping.
OLD = (
    "select discounted(price, percent) from (values (1250, 10)) g(price, percent)",
    "select discounted(price, percent) from (values (3990, 15)) g(price, percent)",
    "select sum(discounted(price, percent)) from "
    "(values (1250, 10), (3990, 15), (2590, 5), (452, 0)) g(price, percent)",
    "select with_tax(price, 19) from (values (1250), (3990), (null)) p(price)",
    "select sum(line_total(price, pieces)) from (values (1250, 2), (450, 3)) l(price, pieces)",
    "select sum(line_total(price, pieces)) from (values (3990, 1)) l(price, pieces)",
    "select reserved(3, 2), reserved(1, 2)",
)


class Mutant(NamedTuple):
    """One changed function."""

    function: str
    kind: str
    formula: str


_BOUNDARY: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.LTE, exp.LTE: exp.LT, exp.GT: exp.GTE, exp.GTE: exp.GT, exp.EQ: exp.LTE,
}  # fmt: skip
_NEGATED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.GTE, exp.GTE: exp.LT, exp.GT: exp.LTE, exp.LTE: exp.GT, exp.EQ: exp.NEQ,
    exp.And: exp.Or, exp.Or: exp.And,
}  # fmt: skip
_SIGN: dict[type[exp.Expr], type[exp.Expr]] = {exp.Add: exp.Sub, exp.Sub: exp.Add, exp.Mul: exp.Add}


def changes(node: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    """What a place can be changed to, with the class of the change."""
    for kind, table in (("boundary", _BOUNDARY), ("negated condition", _NEGATED), ("sign", _SIGN)):
        other = table.get(type(node))
        if other is not None:
            yield kind, other(this=node.this.copy(), expression=node.expression.copy())
    if isinstance(node, exp.Binary) and not isinstance(node, (exp.Connector, exp.Is)):
        yield "sign", type(node)(this=node.expression.copy(), expression=node.this.copy())
        if isinstance(node, exp.Predicate):
            yield "negated condition", exp.Not(this=exp.Paren(this=node.copy()))
        else:
            yield "type", sqlglot.parse_one(f"try_cast({node.sql('duckdb')} as tinyint)", read="duckdb")
    if isinstance(node, exp.Literal) and not node.is_string:
        for step in (1, -1):
            yield "off by one", exp.Literal.number(int(node.name) + step)
        yield "sign", exp.Neg(this=node.copy())
    if isinstance(node, exp.Column):
        yield "NULL", exp.Coalesce(this=node.copy(), expressions=[exp.Literal.number(0)])
        yield "NULL", exp.Coalesce(this=node.copy(), expressions=[exp.Literal.number(1)])
        for value in (0, 1):
            yield "NULL", sqlglot.parse_one(f"nullif({node.name}, {value})", read="duckdb")
        yield "sign", exp.Neg(this=node.copy())
        for kind in ("double", "tinyint", "smallint", "decimal(18,1)"):
            yield "type", sqlglot.parse_one(f"try_cast({node.name} as {kind})", read="duckdb")
    if isinstance(node, exp.Coalesce):
        yield "NULL", node.this.copy()
    if isinstance(node, exp.Is):
        yield "negated condition", exp.Not(this=node.copy())


def mutants(seed: int, at_most: int) -> list[Mutant]:
    """Every mutant of every function, or as many by chance."""
    found: dict[tuple[str, str], Mutant] = {}
    for name, (_, formula) in FORMULAS.items():
        tree = sqlglot.parse_one(formula, read="duckdb")
        for number, node in enumerate(list(tree.walk())):
            for kind, changed in changes(node):
                copy = tree.copy()
                list(copy.walk())[number].replace(changed) if number else None
                text = (copy if number else changed).sql(dialect="duckdb")
                found.setdefault((name, text), Mutant(name, kind, text))
    chosen = list(found.values())
    Random(seed).shuffle(chosen)
    return chosen[:at_most]


#: Arguments by which a mutant is told from the original.
_GRID = (
    "select bit_xor(hash(x, y, {name}(x, y))) "
    "from (select unnest([{first}, null]) as x), (select unnest([{second}, null]) as y)"
)
_FIRST = (*range(-3, 130), *range(440, 560), *range(4990, 5010), *range(5550, 5565), *range(1000, 12_000, 37))
_SECOND = (*range(-3, 25), 49, 50, 51, *range(97, 104), 4999, 5000, 5001)


class Shop:
    """A database with the shop's functions, one of them perhaps changed."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()

        for name in FORMULAS:
            self.define(name)

    def define(self, name: str, mutant: Mutant | None = None) -> None:
        """Make a function anew, as it is or changed. It counts in BIGINT, whatever it is given."""
        arguments, formula = FORMULAS[name]
        given = ", ".join(f"x_{one}" for one in arguments)
        whole = ", ".join(f"cast(x_{one} as bigint) as {one}" for one in arguments)
        body = mutant.formula if mutant else formula
        self._connection.execute(f"create or replace macro {name}({given}) as (select ({body}) from (select {whole}))")  # noqa: S608

    def answers(self, statements: Sequence[str], mutant: Mutant | None = None) -> list[str]:
        """What each statement answers, as text; an error is an answer. Of a mutant only what calls it is asked."""
        if mutant is None:
            return [self._answer(sql) for sql in statements]
        self.define(mutant.function, mutant)
        found = [self._answer(sql) for sql in statements if f"{mutant.function}(" in sql]
        self.define(mutant.function)
        return found

    def meaning(self, name: str, mutant: Mutant | None = None) -> str:
        """What a function answers for all arguments of a grid, in a few letters."""
        self.define(name, mutant)
        first, second = (", ".join(map(str, values)) for values in (_FIRST, _SECOND))
        answer = self._answer(_GRID.format(name=name, first=first, second=second))
        self.define(name)
        return answer

    def _answer(self, sql: str) -> str:
        try:
            return repr(self._connection.execute(sql).fetchall())
        except duckdb.Error as error:
            return type(error).__name__


def new_cases(seed: int) -> list[str]:
    """What is generated for a change of all the functions: the queries of the file about functions, and its table."""
    functions = {
        name: SqlFunction(name, overloads=(Overload(("int64",) * len(arguments)),), names=(name,))
        for name, (arguments, _) in FORMULAS.items()
    }
    targets = tuple(Target(0, Kind.FUNCTION, name, "the change implements it") for name in functions)
    shop = ROOT / "examples" / "shop"
    files = [ChangedFile(path.name, added=tuple(path.read_text().splitlines())) for path in sorted(shop.glob("*/*.go"))]
    surface = Surface(functions=functions)
    title = f"change {', '.join(functions)}"
    made = generate(Inputs(title, tuple(files), surface, targets, Library({}), Past(())), "shop", 60, seed=seed)
    return list(single(one.sql for one in made.drafts[0].statements))


def single(statements: Iterator[str]) -> Iterator[str]:
    """Queries with one item each, so that an error of one hides no other; the table, and that it stays."""
    for sql in statements:
        parts = parts_of(sql)
        if parts is not None:
            yield from (parts.query((item,)) for item in parts.items if any(f"{name}(" in item for name in FORMULAS))
        elif not sql.startswith("drop"):
            yield sql


def measure(seed: int, at_most: int) -> dict[str, Any]:
    """How many mutants each set of cases kills, by class."""
    shop, old, new = Shop(), list(OLD), new_cases(seed)
    classes: dict[str, dict[str, int]] = defaultdict(lambda: {"mutants": 0, "lived": 0, "killed": 0})
    alive: list[Mutant] = []
    for sql in new[:2]:
        shop.answers([sql])
    wanted = {name: shop.answers([sql for sql in new if f"{name}(" in sql]) for name in FORMULAS}
    before = {name: shop.answers([sql for sql in old if f"{name}(" in sql]) for name in FORMULAS}
    meanings = {name: shop.meaning(name) for name in FORMULAS}
    equivalent = 0
    for mutant in mutants(seed, at_most):
        if shop.meaning(mutant.function, mutant) == meanings[mutant.function]:
            equivalent += 1
            continue
        row = classes[mutant.kind]
        row["mutants"] += 1
        if shop.answers(old, mutant) != before[mutant.function]:
            continue
        row["lived"] += 1
        if shop.answers(new, mutant) != wanted[mutant.function]:
            row["killed"] += 1
        else:
            alive.append(mutant)
    total = {key: sum(row[key] for row in classes.values()) for key in ("mutants", "lived", "killed")}
    share = total["killed"] / max(1, total["lived"])
    return {
        "ok": total["mutants"] >= LEAST_MUTANTS and share >= LEAST_KILLED,
        "seed": seed,
        "equivalent": equivalent,
        **total,
        "share": round(share, 3),
        "classes": {kind: classes[kind] for kind in sorted(classes)},
        "alive": [one._asdict() for one in alive],
    }


def main() -> int:
    """Measure and print; exit 1 below the limits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mutants", type=int, default=1000, help="at most so many, by chance")
    parser.add_argument("--format", choices=("json", "text"), default="text")
    args = parser.parse_args()
    found = measure(args.seed, args.mutants)
    if args.format == "json":
        print(json.dumps(found, indent=1))
    else:
        for kind, row in found["classes"].items():
            print(f"{kind:18} {row['mutants']:4} mutants, {row['lived']:4} live, {row['killed']:4} of these killed")
        print(f"{found['mutants']} mutants, {found['lived']} live, {found['share']:.0%} of these killed")
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
