"""Columns by type: how one is declared, the values at its edges, and what stands for an argument of a family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from orchestrator.generate.chance import AS_IT_IS, Chance

_UNSIGNED = " unsigned"


class Edges(NamedTuple):
    """A type as declared, and three literals: an ordinary one, one at an edge, and another."""

    declared: str
    values: tuple[str, str, str]


_TEXT = ("'abc'", "''", "'中文 a'")
_WHOLE = ("1", "-1", "0")
_PART = ("1.5", "-0.5", "0")
_BYTES = ("'abc'", "''", "'A'")
#: By type word: how a column is declared, and its three literals.
COLUMNS: dict[str, tuple[str, Sequence[str]]] = {
    "tinyint": ("tinyint", ("1", "-128", "127")),
    "smallint": ("smallint", ("1", "-32768", "32767")),
    "mediumint": ("mediumint", _WHOLE),
    "int": ("int", ("1", "-2147483648", "2147483647")),
    "integer": ("integer", _WHOLE),
    "bigint": ("bigint", ("1", "-1099511627776", "1099511627776")),
    "bool": ("bool", ("true", "false", "true")),
    "boolean": ("boolean", ("true", "false", "true")),
    "bit": ("bit(10)", ("1", "0", "1023")),
    "decimal": ("decimal(20,5)", ("1.5", "-0.00001", "999999999999999.99999")),
    "numeric": ("numeric(20,5)", _PART),
    "float": ("float", _PART),
    "double": ("double", ("1.5", "-1e300", "0")),
    "real": ("real", _PART),
    "char": ("char(50)", _TEXT),
    "varchar": ("varchar(100)", _TEXT),
    "text": ("text", _TEXT),
    "tinytext": ("tinytext", _TEXT),
    "mediumtext": ("mediumtext", _TEXT),
    "longtext": ("longtext", _TEXT),
    "binary": ("binary(20)", _BYTES),
    "varbinary": ("varbinary(100)", _BYTES),
    "blob": ("blob", _BYTES),
    "tinyblob": ("tinyblob", _BYTES),
    "mediumblob": ("mediumblob", _BYTES),
    "longblob": ("longblob", _BYTES),
    "date": ("date", ("'2024-02-29'", "'1000-01-01'", "'9999-12-31'")),
    "datetime": ("datetime", ("'2024-02-29 12:34:56'", "'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'")),
    "timestamp": ("timestamp", ("'2024-02-29 12:34:56'", "'1970-01-02 00:00:01'", "'2038-01-18 03:14:07'")),
    "time": ("time", ("'12:34:56'", "'-12:00:00'", "'00:00:00'")),
    "year": ("year", ("2024", "1901", "2155")),
    "json": ("json", ("'{\"a\": 1}'", "'[1, 2]'", "'null'")),
    "enum": ("enum('a','b','c')", ("'a'", "'c'", "'b'")),
    "set": ("set('a','b','c')", ("'a'", "'a,c'", "''")),
    "uuid": ("uuid", ("'6ccd780c-baba-1026-9564-5b8c656024db'",) * 3),
    "vecf32": ("vecf32(3)", ("'[1,2,3]'", "'[0,0,0]'", "'[-1,0.5,2]'")),
    "vecf64": ("vecf64(3)", ("'[1,2,3]'", "'[0,0,0]'", "'[-1,0.5,2]'")),
    "geometry": ("geometry", ("'POINT(1 1)'", "'LINESTRING(0 0,1 1)'", "'POINT(0 0)'")),
    "point": ("point", ("'POINT(1 1)'",) * 3),
    "linestring": ("linestring", ("'LINESTRING(0 0,1 1)'",) * 3),
    "polygon": ("polygon", ("'POLYGON((0 0,1 0,1 1,0 0))'",) * 3),
}


def is_known(column: str) -> bool:
    """Whether a column of this type can be made."""
    return column.removesuffix(_UNSIGNED) in COLUMNS


#: Types that other servers of the same language lack or fill otherwise; they get a table and a file to themselves, so
#: that where they are refused nothing else is.
_OWN = frozenset({"vecf32", "vecf64", "uuid", "geometry", "point", "linestring", "polygon"})


def is_own(column: str) -> bool:
    """Whether a type is one that other servers do not have, or not in this way."""
    return column in _OWN


#: Other ways to declare a column, and other ordinary values; a seed takes its pick.
_DECLARED: dict[str, tuple[str, ...]] = {
    "decimal": ("decimal(38,10)", "decimal(25,5)"),
    "numeric": ("numeric(38,10)", "numeric(10,2)"),
    "char": ("char(20)", "char(255)"),
    "varchar": ("varchar(300)", "varchar(20)"),
    "varbinary": ("varbinary(300)",),
    "datetime": ("datetime(3)", "datetime(6)"),
    "timestamp": ("timestamp(3)", "timestamp(6)"),
    "time": ("time(3)", "time(6)"),
    "bit": ("bit(20)", "bit(64)"),
}
_ORDINARY: dict[Sequence[str], tuple[str, ...]] = {
    _TEXT: ("'ABC '", "'a''b'", "'%_'", "'0'", "'1e2'"),
    _WHOLE: ("2", "7", "100"),
    _PART: ("0.1", "2.25", "1e3"),
    _BYTES: ("'ABC '", "'0'"),
}


def edges(column: str, chance: Chance = AS_IT_IS) -> Edges:
    """How to declare and fill a column of a type word, perhaps with ``unsigned``."""
    plain = column.removesuffix(_UNSIGNED)
    declared, values = COLUMNS[plain]
    declared = chance.one_of((declared, *_DECLARED.get(plain, ())), f"declared {column}")
    usual = chance.one_of((values[0], *_ORDINARY.get(tuple(values), ())), f"usual {column}")
    values = (usual, *values[1:])
    if plain != column:
        return Edges(declared + _UNSIGNED, tuple(value.removeprefix("-") for value in values))  # type: ignore[arg-type]
    return Edges(declared, tuple(values))  # type: ignore[arg-type]


#: Kinds of argument by family of type, the most telling first. ``{int}`` is a column.
ARGUMENTS: dict[str, dict[str, str]] = {
    "text": {"text": "'abc'", "column": "{varchar}", "null": "null", "empty": "''", "integer": "1"},
    "integer": {"integer": "2", "column": "{int}", "negative": "-1", "null": "null", "text": "'1'", "decimal": "1.5"},
    "decimal": {
        "decimal": "1.5", "column": "{double}", "integer": "1", "negative": "-1.5", "null": "null", "text": "'1'",
    },
    "temporal": {"temporal": "'2024-02-29 12:34:56'", "column": "{datetime}", "null": "null", "text": "'abc'"},
    "document": {"document": "'{{\"a\": 1}}'", "column": "{json}", "null": "null", "text": "'$.a'"},
    "truth": {"truth": "true", "column": "{bool}", "null": "null", "integer": "1"},
    "vector": {"document": "'[1,2,3]'", "column": "{vecf32}", "null": "null"},
    "shape": {"column": "{geometry}", "null": "null", "text": "'POINT(1 1)'"},
    "any": {"integer": "1", "column": "{int}", "text": "'a'", "null": "null", "decimal": "1.5", "negative": "-1"},
}  # fmt: skip
#: Columns for further arguments of the same family, so that two arguments are not always equal.
OTHERS = {
    "{int}": ("{int}", "{bigint}", "{smallint}"),
    "{bigint}": ("{bigint}", "{int}", "{smallint}"),
    "{double}": ("{double}", "{decimal}", "{float}"),
    "{decimal}": ("{decimal}", "{double}"),
    "{varchar}": ("{varchar}", "{text}", "{char}"),
    "{text}": ("{text}", "{varchar}", "{char}"),
    "{datetime}": ("{datetime}", "{timestamp}", "{date}"),
    "{timestamp}": ("{timestamp}", "{datetime}"),
}
_FAMILIES = (
    ("text", (
        "char", "varchar", "text", "blob", "binary", "varbinary", "enum", "datalink", "uuid", "tinytext", "mediumtext",
        "longtext", "tinyblob", "mediumblob", "longblob",
    )),
    ("integer", (
        "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bit", "year", "tinyint", "smallint",
        "mediumint", "int", "integer", "bigint",
    )),
    ("decimal", (
        "float32", "float64", "decimal64", "decimal128", "decimal256", "float", "double", "real", "decimal", "numeric",
    )),
    ("temporal", ("date", "datetime", "timestamp", "time", "interval")),
    ("document", ("json",)),
    ("vector", ("array_float32", "array_float64", "vecf32", "vecf64")),
    ("shape", ("geometry", "geometry32")),
    ("truth", ("bool",)),
)  # fmt: skip
_FAMILY = {kind: family for family, kinds in _FAMILIES for kind in kinds}
#: Types as the function registry spells them, where a column of them is declared with another word.
_SPELT = {
    "int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint", "uint8": "tinyint unsigned",
    "uint16": "smallint unsigned", "uint32": "int unsigned", "uint64": "bigint unsigned", "float32": "float",
    "float64": "double", "decimal64": "decimal", "decimal128": "decimal", "decimal256": "decimal",
    "array_float32": "vecf32", "array_float64": "vecf64", "geometry32": "geometry",
}  # fmt: skip
#: How often cases try a kind of argument, roughly; used where the tree says nothing of a function.
TRIED = {
    "text": 0.7, "integer": 0.7, "decimal": 0.5, "temporal": 0.6, "document": 0.5, "truth": 0.5, "column": 0.5,
    "null": 0.35, "negative": 0.3, "empty": 0.2,
}  # fmt: skip


#: Column types that take the whole numbers a change names.
WHOLE = frozenset({"int", "integer", "bigint"})


def column_of(kind: str) -> str:
    """The column that holds a type as the function registry spells it; ``int`` for one that nothing declares."""
    word = _SPELT.get(kind, kind)
    return word if is_known(word) else "int"


def family(kind: str) -> str:
    """The family of a type as the function registry spells it."""
    return _FAMILY.get(kind, "any")
