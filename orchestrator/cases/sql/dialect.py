"""A sqlglot dialect for MatrixOne: ``sqlglot.parse(text, read="matrixone")`` once this module is imported.

It is MySQL's, and besides: ``t {snapshot = 's'}``, MINUS, vector types, time windows, functions under their own names
(sqlglot makes one of CEILING and CEIL, LN and LOG, STD and STDDEV), and a node of its family for each administrative
statement. The compiled sqlglot refuses subclasses of Parser, so the parser is MySQL's own and tokens are made ready
for it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.mysql import MySQL
from sqlglot.errors import ParseError
from sqlglot.tokenizer_core import Token, TokenType

from orchestrator.cases.sql.administrative import administrative_sql, build, family_of, family_of_tree
from orchestrator.cases.sql.lexer import requoted
from orchestrator.cases.sql.rewrite import CONCATENATION, OWN, Rewriter, word

_OWN_NAME = re.compile(rf"{OWN}\Z", re.IGNORECASE)
#: How many words tell a statement's family; an index method comes late.
_LEADING_WORDS = 60
_EXPLAINING = frozenset({"explain", "describe", "desc", "perform"})
_EXPLAINED = frozenset({"select", "insert", "update", "delete", "with", "replace", "execute", "values", "("})
_PARSER: Any = MySQL.parser_class
#: ``||`` is concat and binds tightly (mysql_sql.y, PIPE_CONCAT). To MySQL it is OR; no token of its is this one.
_PARSER.EXPONENT[CONCATENATION] = exp.DPipe


#: The functions that need no syntax of their own, and those of them that sqlglot knows by the very same name.
_PLAIN = frozenset(_PARSER.FUNCTIONS) - set(_PARSER.FUNCTION_PARSERS)
_TYPED_WORDS = """
ABS AVG COALESCE COUNT EXP FLOOR GREATEST LEAST MAX MIN NULLIF ROUND SQRT SUM
"""
_TYPED = frozenset(_TYPED_WORDS.split())
_PLAIN -= {"AND", "OR", "XOR", "MOD", "MAP", "STRUCT"}
_RENAMED = _PLAIN - _TYPED


class MatrixOne(MySQL):
    """MatrixOne's SQL."""

    SUPPORTS_USER_DEFINED_TYPES = True

    class Tokenizer(MySQL.Tokenizer):
        """MySQL's words, MINUS, and comments that start with two slashes."""

        COMMENTS: ClassVar[list[str | tuple[str, str]]] = ["--", "#", "//", ("/*", "*/")]
        KEYWORDS: ClassVar[dict[str, TokenType]] = {**MySQL.Tokenizer.KEYWORDS, "MINUS": TokenType.EXCEPT}
        COMMANDS: ClassVar[set[TokenType]] = set()

    def tokenize(self, sql: str, dialect: Any = None) -> list[Token]:  # noqa: ANN401 - sqlglot's own signature
        """The tokens of ``sql``; a string between ``$$`` is one like any other. Raises TokenError."""
        return super().tokenize(requoted(sql) if "$$" in sql else sql, dialect)

    def parse(self, sql: str, **opts: Any) -> list[Any]:  # noqa: ANN401 - sqlglot's own signature
        """The statements of ``sql``, administrative ones as `build` makes them. Raises ParseError, TokenError."""
        with _quiet():
            return [_statement(self, sql, tokens, opts) for tokens in _statements(self.tokenize(sql))]

    def generate(self, expression: Any, copy: bool = True, **opts: Any) -> str:  # noqa: ANN401
        """The text of a tree; clauses of MatrixOne's own come at its end."""
        if family_of_tree(expression):
            return administrative_sql(expression, lambda node: self.generate(node, copy, **opts))
        text = super().generate(expression, copy, **opts)
        clauses = expression.args.get("clauses") or ()
        return " ".join([text, *(self.generate(clause, copy, **opts) for clause in clauses)])


@contextmanager
def _quiet() -> Iterator[None]:
    """Without sqlglot's warning that it keeps a statement as text: that is an error here."""
    logger = logging.getLogger("sqlglot")

    def is_heard(record: logging.LogRecord) -> bool:
        return "unsupported syntax" not in record.getMessage()

    logger.addFilter(is_heard)
    try:
        yield
    finally:
        logger.removeFilter(is_heard)


def _statements(tokens: Iterable[Token]) -> Iterator[list[Token]]:
    begun: list[Token] = []
    for token in tokens:
        if token.token_type != TokenType.SEMICOLON:
            begun.append(token)
        elif begun:
            yield begun
            begun = []
    if begun:
        yield begun


def _statement(dialect: MatrixOne, sql: str, tokens: Sequence[Token], opts: dict[str, Any]) -> Any:  # noqa: ANN401
    words = [word(token) for token in tokens[:_LEADING_WORDS]]
    if words[0] in _EXPLAINING:
        return _explained(dialect, sql, tokens, opts)
    family = family_of(words)
    if family is not None:
        return build(family, tokens)
    try:
        return _parsed(dialect, sql, tokens, opts, _RENAMED.__contains__)
    except ParseError:
        return _parsed(dialect, sql, tokens, opts, _PLAIN.__contains__)


def _explained(dialect: MatrixOne, sql: str, tokens: Sequence[Token], opts: dict[str, Any]) -> Any:  # noqa: ANN401
    """EXPLAIN with its options as words and the statement it explains as a tree; DESC of a table as words."""
    for place, token in enumerate(tokens[1:], 1):
        if word(token) in _EXPLAINED and not (word(token) == "(" and word(tokens[place + 1]) not in _EXPLAINED):
            head = build("show", tokens[:place])
            head.append("expressions", _statement(dialect, sql, tokens[place:], opts))
            return head
    return build("show", tokens)


def _parsed(
    dialect: MatrixOne, sql: str, tokens: Sequence[Token], opts: dict[str, Any], own: Callable[[str], bool]
) -> Any:  # noqa: ANN401
    rewriter = Rewriter(tokens, own)
    rewriter.run()
    [tree] = dialect.parser(**opts).parse(rewriter.kept, sql)
    if tree is None or isinstance(tree, exp.Command):
        raise ParseError(f"no grammar for {tokens[0].text}")
    for call in tree.find_all(exp.Anonymous):
        if isinstance(call.this, str):
            call.set("this", _OWN_NAME.sub("", call.this))
    if rewriter.clauses:
        tree.set("clauses", [build("clause", clause) for clause in rewriter.clauses])
    return tree
