"""MatrixOne's reader: function registry, operator packages, grammar, variables and errors of a revision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from posixpath import basename, dirname

from orchestrator.surface.matrixone import grammar, registry, tables
from orchestrator.surface.matrixone.operators import spoken
from orchestrator.surface.model import Kind, Role, SqlFunction, Statement, Surface
from orchestrator.surface.reader import Parsed, Tree

_FUNCTIONS = "pkg/sql/plan/function"
_IDS = f"{_FUNCTIONS}/function_id.go"
_GRAMMAR = "pkg/sql/parsers/dialect/mysql/mysql_sql.y"
_KEYWORDS = "pkg/sql/parsers/dialect/mysql/keywords.go"
_OPERATORS = "pkg/sql/colexec"
_TABLE_FUNCTIONS = f"{_OPERATORS}/table_function"
_VARIABLES = "pkg/frontend/variables.go"
_ERRORS = "pkg/common/moerr/error.go"
#: Where SQL runs through, by the first two parts of a path.
_FOLLOWED = frozenset({
    "pkg/sql", "pkg/frontend", "pkg/container", "pkg/vectorize", "pkg/vectorindex", "pkg/catalog", "pkg/fulltext",
    "pkg/monlp", "pkg/partition", "pkg/udf", "pkg/cdc", "pkg/stage", "pkg/datalink", "pkg/geo", "pkg/common",
})  # fmt: skip
_GENERATED = (".pb.go", "mysql_sql.go", "mysql_error_define.go")
#: How the names of an error's constructors end.
_MADE = ("", "f", "NoCtx", "NoCtxf")
#: An identifier that more functions share than this (a common type check) stands for none of them.
_SHARED = 4


class MatrixOneReader:
    """Reads the places where MatrixOne registers its SQL; one that moved is read as empty."""

    def follows(self, path: str) -> bool:
        """Production Go code of the packages that SQL runs through."""
        if not path.endswith(".go") or path.endswith((*_GENERATED, "_test.go")):
            return False
        return "/".join(path.split("/", 2)[:2]) in _FOLLOWED

    def read(self, tree: Tree, parsed: Parsed) -> Surface:
        """The surface of a revision."""
        keywords = parsed.get(tree, _KEYWORDS, grammar.keywords)
        functions, constants = _functions(tree, parsed)
        in_from = _table_functions(tree, parsed)
        statements = _statements(parsed.get(tree, _GRAMMAR, grammar.productions), keywords)
        errors = parsed.get(tree, _ERRORS, tables.errors)
        return Surface(
            functions={**in_from, **functions},
            operators=_operators(tree, frozenset(keywords.values())),
            statements=statements,
            keywords=keywords,
            variables=parsed.get(tree, _VARIABLES, tables.variables),
            errors=errors,
            generated=_GENERATED,
            implementations=_implementations([*constants.values(), *in_from.values()]),
            homes=(_FUNCTIONS, f"{_OPERATORS}/aggexec", _TABLE_FUNCTIONS),
            executors=("pkg/sql/compile/", f"{_OPERATORS}/"),
            symbols=_symbols(constants, statements, errors),
        )


def _functions(tree: Tree, parsed: Parsed) -> tuple[dict[str, SqlFunction], dict[str, SqlFunction]]:
    """SQL functions by every name, and by the registry's constant."""
    by_constant: dict[str, list[str]] = defaultdict(list)
    for name, constant in parsed.get(tree, _IDS, registry.registered).items():
        by_constant[constant].append(name)
    constants: dict[str, SqlFunction] = {}
    for path in sorted(tree.blobs):
        if dirname(path) == _FUNCTIONS and basename(path).startswith("list_") and not path.endswith("_test.go"):
            for entry in parsed.get(tree, path, registry.entries):
                names = by_constant.get(entry.constant, [entry.constant.lower()])
                constants[entry.constant] = SqlFunction(
                    names[0], entry.role, entry.overloads, tuple(sorted(names)), tuple(sorted(entry.implementations))
                )
    return {name: function for function in constants.values() for name in function.names}, constants


def _table_functions(tree: Tree, parsed: Parsed) -> dict[str, SqlFunction]:
    found = parsed.get(tree, f"{_TABLE_FUNCTIONS}/table_function.go", registry.table_functions)
    return {name: SqlFunction(name, Role.TABLE, (), (name,), tuple(sorted(code))) for name, code in found.items()}


def _statements(productions: Iterable[grammar.Production], keywords: dict[str, str]) -> tuple[Statement, ...]:
    """The productions that begin with a keyword and build a node, each (words, node) once."""
    found: dict[tuple[tuple[str, ...], str], Statement] = {}
    for production in productions:
        if not production.tokens or production.symbols[0] != production.tokens[0] or not production.nodes:
            continue
        words = tuple(keywords.get(token, token.lower()) for token in production.tokens)
        found.setdefault((words, production.nodes[0]), Statement(words, production.nodes[0], production.rule))
    return tuple(found.values())


def _operators(tree: Tree, words: frozenset[str]) -> dict[str, tuple[str, ...]]:
    packages = {dirname(path) for path in tree.blobs if path.startswith(f"{_OPERATORS}/") and path.endswith(".go")}
    named = {package: spoken(basename(package), words) for package in packages if dirname(package) == _OPERATORS}
    return {package: sql for package, sql in sorted(named.items()) if sql}


def _implementations(functions: Iterable[SqlFunction]) -> dict[str, tuple[str, ...]]:
    """Identifier of the code to the functions it stands for; none when it stands for many."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for function in functions:
        for identifier in function.implementations:
            found[identifier][function.name] = None
    return {identifier: tuple(names) for identifier, names in found.items() if len(names) <= _SHARED}


def _symbols(
    constants: Mapping[str, SqlFunction], statements: Iterable[Statement], errors: Iterable[str]
) -> dict[str, tuple[tuple[Kind, str], ...]]:
    found: dict[str, dict[tuple[Kind, str], None]] = defaultdict(dict)
    for constant, function in constants.items():
        found[f"function.{constant}"][Kind.FUNCTION, function.name] = None
    for statement in statements:
        if statement.rule.endswith("_stmt"):
            found[f"tree.{statement.node}"][Kind.STATEMENT, statement.name] = None
    for code in errors:
        made = f"moerr.New{code.removeprefix('Err')}"
        for symbol in (code, f"moerr.{code}", *(made + ending for ending in _MADE)):
            found[symbol][Kind.ERROR, code] = None
    return {symbol: tuple(pairs) for symbol, pairs in found.items()}
