"""Expressions made from the surface: calls over their overloads, casts, operators, variables and catalogs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from orchestrator.cases.sql.lexer import tokenize
from orchestrator.generate.aspects import aspects
from orchestrator.generate.columns import ARGUMENTS, OTHERS, column_of, family
from orchestrator.generate.expressions import Expression
from orchestrator.surface.model import Role, SqlFunction

_SLOT = re.compile(r"(?<!\{)\{(\w[\w ]*)\}(?!\})")
_MOST_OVERLOADS = 12
#: Functions that the grammar spells in a way of its own.
_SPELLED = {
    "date_add": "{0}, interval {1} day",
    "date_sub": "{0}, interval {1} day",
    "extract": "day from {1}",
    "position": "{0} in {1}",
}
#: Tried for a function whose registry entry leaves its arguments to code.
_GUESSED = (("any",), ("any", "any"), ("any", "any", "any"))
#: Window functions take what the standard says, whatever a registry leaves to code.
_WINDOWED: dict[str, tuple[tuple[str, ...], ...]] = {
    **dict.fromkeys(("row_number", "rank", "dense_rank", "percent_rank", "cume_dist"), ()),
    **dict.fromkeys(("first_value", "last_value"), (("any",),)),
    **dict.fromkeys(("lag", "lead"), (("any",), ("any", "integer"), ("any", "integer", "any"))),
    "ntile": (("integer",),),
    "nth_value": (("any", "integer"),),
}
_WINDOWS = (
    "over (partition by {int} order by {varchar})",
    "over (order by {int} rows between unbounded preceding and current row)",
)
_CASTS = (
    "tinyint", "smallint", "int", "bigint", "tinyint unsigned", "smallint unsigned", "int unsigned", "bigint unsigned",
    "signed", "unsigned", "decimal", "decimal(10)", "decimal(10,2)", "decimal(30)", "decimal(38,10)", "decimal(65,30)",
    "float", "double", "char", "char(5)", "varchar", "varchar(5)", "binary", "binary(4)", "varbinary", "varbinary(4)",
    "text", "blob", "date", "datetime", "datetime(3)", "time", "time(3)", "timestamp", "timestamp(6)", "year", "json",
    "bool", "bit", "uuid", "vecf32(3)", "vecf64(3)", "geometry",
)  # fmt: skip
_CASTABLE = {
    "date": "'2024-02-29'", "datetime": "'2024-02-29 12:34:56.789'", "time": "'12:34:56.789'", "year": "2024",
    "timestamp": "'2024-02-29 12:34:56'", "json": "'{{\"a\": [1, null]}}'",
    "vecf32": "'[1,2,3]'", "vecf64": "'[1,2,3]'",
    "uuid": "'6ccd780c-baba-1026-9564-5b8c656024db'", "geometry": "'POINT(1 1)'",
}  # fmt: skip
_OPERATIONS = (
    "{int} <=> null", "{int} div 2", "{int} % 2", "{int} mod 2", "{int} & 3", "{int} | 4", "{int} ^ 1", "{int} << 2",
    "{int} >> 1", "~{int}", "{int} xor 1", "{int} between 0 and 2", "{int} not between 1 and 2", "{int} in (1, 2)",
    "{int} not in (1, 2)", "({int}, {varchar}) in ((1, 'abc'), (2, ''))",
    "({int}, {varchar}) not in ((1, 'abc'), (2, ''))",
    "{varchar} like 'a%'", "{varchar} not like '_b%'", "{varchar} like 'a\\\\%'", "{varchar} ilike 'A%'",
    "{varchar} regexp '^a'", "{varchar} not regexp 'b$'", "{varchar} rlike 'c'", "{json} -> '$.a'", "{json} ->> '$.a'",
    "{int} || {int}", "{int} && 1", "{int} != 1", "{varchar}::text", "1 + interval 1 day", "{date} + interval 1 day",
    "{date} - interval 1 week", "{date} + interval 1 month", "{date} + interval 1 quarter", "{date} - interval 1 year",
    "{datetime} + interval 1 hour", "{datetime} - interval 1 minute", "{datetime} + interval 1 second",
    "{datetime} - interval 1 microsecond", "{int} is true", "{int} is not true",
    "{int} is not false", "{int} is not null",
)  # fmt: skip


def made(text: str) -> Expression:
    """An expression of a text with slots."""
    plain = _SLOT.sub("c", text).replace("{{", "{").replace("}}", "}")
    found = tuple(aspects(tokenize(f"select {plain}")))[1:]
    return Expression(text, found, tuple(dict.fromkeys(_SLOT.findall(text))))


def calls(function: SqlFunction, name: str) -> Iterator[Expression]:
    """Calls that try each kind of argument at each position of each overload once: the smallest such set."""
    shapes = dict.fromkeys(
        tuple(family(kind) for kind in one.arguments) for one in function.overloads[:_MOST_OVERLOADS]
    )
    known = [shape for shape in shapes if shape]
    ends = [f" {window}" for window in _WINDOWS] if function.role is Role.WINDOW else [""]
    if not _WINDOWED.get(name) and (function.role is Role.WINDOW or () in shapes):
        yield made(f"{name}(){ends[0]}")
    for shape in known or _guesses(name):
        kinds = [list(ARGUMENTS[one].values()) for one in shape]
        for row, places in enumerate(_rows(max(map(len, kinds)), len(kinds))):
            values = [those[place % len(those)] for those, place in zip(kinds, places, strict=True)]
            arguments = [_apart(one, at) for at, one in enumerate(values)]
            yield made(f"{name}({_spelled(name, arguments)}){ends[row % len(ends)]}")


def _spelled(name: str, arguments: Sequence[str]) -> str:
    return _SPELLED.get(name, "").format(*arguments) or ", ".join(arguments)


def _rows(kinds: int, positions: int) -> Iterator[Sequence[int]]:
    """Which kind of argument stands where: the usual everywhere, columns everywhere, then every kind everywhere once,
    beside another kind each time."""
    yield [0] * positions
    yield [1] * positions
    yield from ([row + at for at in range(positions)] for row in range(2, kinds + 2))


def typed_calls(function: SqlFunction, name: str) -> Iterator[Expression]:
    """A call for each list of argument types of its overloads, over columns of just these types.

    Where a type comes twice, its like takes its place: a column beside itself tells nothing.
    """
    shapes = dict.fromkeys(tuple(map(column_of, one.arguments)) for one in function.overloads[:_MOST_OVERLOADS])
    end = f" {_WINDOWS[0]}" if function.role is Role.WINDOW else ""
    for shape in shapes:
        if shape and name not in _SPELLED:  # those take words between their arguments
            columns = [_apart(f"{{{kind}}}", shape[:at].count(kind)) for at, kind in enumerate(shape)]
            call = made(f"{name}({', '.join(columns)}){end}")
            yield replace(call, aspects=(*call.aspects, over(name, shape)))


def over(name: str, columns: Iterable[str]) -> str:
    """The aspect of a function over columns of some types."""
    return f"over {' '.join((name, *columns))}"


def _apart(argument: str, position: int) -> str:
    others = OTHERS.get(argument)
    return others[position % len(others)] if others else argument


#: What a function's name says of its first argument.
_HINTS = (
    ("json", "document"),
    ("st_", "shape"),
    ("vec", "vector"),
    ("date", "temporal"),
    ("time", "temporal"),
)


def _guesses(name: str) -> Iterable[tuple[str, ...]]:
    if name in _WINDOWED:
        return _WINDOWED[name]
    for word, kind in _HINTS:
        if word in name:
            return ((kind,), (kind, "document" if kind == "document" else "any"))
    return _GUESSED


def casts() -> Iterator[Expression]:
    """A cast to every type, from a value that it can hold."""
    for kind in _CASTS:
        word = kind.split("(")[0]
        yield made(f"cast({_CASTABLE.get(word, '1')} as {kind})")


def operations() -> Iterator[Expression]:
    """Every operator over columns."""
    return (made(text) for text in _OPERATIONS)


def variables(names: Iterable[str]) -> Iterator[Expression]:
    """The values of system variables."""
    return (made(f"@@{name}") for name in names)


def catalogs(names: Iterable[str]) -> Iterator[Expression]:
    """Whether catalog tables can be read."""
    for name in names:
        if name.startswith("mo_catalog.") and not name.startswith("mo_catalog.mo_"):
            continue  # a table that some case makes there
        yield made(f"(select count(*) >= 0 from {name})")


#: Arguments of a function in FROM, of which no registry says what it takes.
_IN_FROM = ("", "5", "1, 5", "1, 10, 3", "'a'", "'{{\"a\": 1}}'", "null", "'a', 'b'", "1, 5, 'seed'", "-1")


def table_calls(name: str) -> Iterator[str]:
    """Queries over a function in FROM."""
    return (f"select * from {name}({arguments}) f" for arguments in _IN_FROM)
