"""What a statement exercises, as short names: the coin in which novelty and coverage are counted.

An aspect is one of

* ``call abs``, ``call abs 1 negative``: a function, and what stands at a position of its arguments;
* ``statement create index``: the words a statement begins with;
* ``clause full join``: a clause that has a name (`orchestrator.generate.clauses`);
* ``word recursive``, ``pair with parser``: any other keyword that is no scenery, and two in a row;
* ``type varchar(n)``, ``cast decimal(p,s)``: a type in DDL or in a cast, with its parameters by class;
* ``operator <=>``, ``variable sql_mode``, ``catalog mo_catalog.mo_user``;
* ``over decimal``, ``over abs bigint``: a column of a type that the change is about, and calls over one (only what is
  made on purpose has these).

They are read from tokens, so that SQL which no parser knows has aspects, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from orchestrator.cases.sql.lexer import tokenize
from orchestrator.cases.sql.tokens import opens
from orchestrator.cases.sql.words import KEYWORDS, SYSTEM_DATABASES
from orchestrator.generate.clauses import clause, joins
from orchestrator.generate.forms import form
from orchestrator.generate.heads import head

TYPES = frozenset({
    "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "decimal", "numeric", "float", "double", "real",
    "bool", "boolean", "bit", "char", "varchar", "binary", "varbinary", "text", "tinytext", "mediumtext", "longtext",
    "blob", "tinyblob", "mediumblob", "longblob", "date", "datetime", "time", "timestamp", "year", "json", "enum",
    "set", "uuid", "vecf32", "vecf64", "datalink", "geometry", "point", "linestring", "polygon", "signed", "unsigned",
})  # fmt: skip
#: Words that may come before ``(`` without being called.
NOT_CALLED = frozenset({
    "in", "values", "value", "and", "or", "not", "xor", "exists", "on", "using", "key", "index", "unique", "into",
    "as", "by", "all", "any", "some", "select", "from", "where", "when", "then", "else", "case", "join", "table",
    "set", "like", "between", "references", "check", "over", "partition", "hash", "range", "list", "columns",
    "primary", "fulltext", "against", "with", "union", "except", "intersect", "minus", "distinct", "is", "having",
    "limit", "than", "option", "interval", "div", "add", "column", "view", "return", "ignore", "lists", "include",
    "explain", "end", "constraint", "cluster", "grouping_", "rollup", "cube", "sets", "of", "for", "accounts", "to",
    "returns", "default", "offset",
})  # fmt: skip
#: Words that are in everything; alone they say nothing.
SCENERY = frozenset({
    "select", "from", "where", "and", "or", "not", "as", "into", "values", "table", "on", "by", "is", "null", "int",
    "in", "set", "to", "exists", "if", "then", "else", "end", "when", "case", "create", "drop", "insert", "true",
    "false", "date", "time", "year", "month", "day", "count", "status", "name", "account", "type", "data", "level",
    "key", "index", "all", "with", "for", "of", "user", "role", "text", "hour", "minute", "second", "week", "quarter",
    "char", "value", "dual", "database", "update", "delete", "add", "column", "asc", "inner", "outer", "cast",
    "convert", "between", "like",
})  # fmt: skip
_OPERATORS = frozenset({"<=>", "->", "->>", "||", "&&", "<<", ">>", "&", "|", "^", "~", "%", "::", "!=", "<>", ":="})
_WORD_OPERATORS = frozenset({"like", "ilike", "regexp", "rlike", "between", "in", "div", "mod", "xor", "exists"})
_TEMPORAL = re.compile(r"['\"]\s*(?:\d{2,4}[-/]\d{1,2}[-/]\d{1,2}.*|-?\d{1,3}:\d{2}.*)['\"]\Z", re.S)
_NUMBER = re.compile(r"(?:\d|\.\d)")
_DOUBLED = re.compile(r"''|\\['\"]")
_SHORTEST = 8
#: Names that follow these words and a parenthesis are of tables, indexes and parts.
_NAMED_AFTER = frozenset({
    "into", "table", "view", "references", "index", "join", "update", "call", "key", "constraint", "unique", "fulltext",
    "partition", "branch", "ignore",
})  # fmt: skip
_WIDE = frozenset({"char", "varchar", "binary", "varbinary"})
_WIDEST = 255
#: Spellings of one type.
SPELT = {"integer": "int", "numeric": "decimal", "dec": "decimal", "boolean": "bool"}
#: A statement that exercises more than this is nobody's to understand; nothing beyond is counted.
DENSE = 12


def aspects(sql: str | Sequence[str]) -> list[str]:
    """The aspects of one statement (text or tokens), in order of their first appearance."""
    tokens = [
        token.lower() if token[0] not in "'\"" else token for token in (tokenize(sql) if isinstance(sql, str) else sql)
    ]
    while tokens and tokens[0] == "(":
        tokens = tokens[1:]
    found: dict[str, None] = {}
    if tokens:
        kind = head(tokens)
        found[f"statement {kind}"] = None
        _Walk(tokens, found).walk()
        if kind == "prepare":
            prepared = (token for token in tokens[2:4] if token[0] in "'\"" and len(token) > _SHORTEST)
            found |= {one: None for text in prepared for one in aspects(_DOUBLED.sub("'", text[1:-1]))}
        if kind == "set variable":
            _assigned(tokens, found)
        if tokens[0] in {"grant", "revoke"} and "on" in tokens:
            for named in " ".join(tokens[1 : tokens.index("on")]).split(" , "):
                found[f"privilege {named}"] = None
    return list(found)


def _assigned(tokens: Sequence[str], found: dict[str, None]) -> None:
    for name, sign in pairwise(tokens):
        if sign in {"=", ":="} and name.isidentifier():
            found[f"variable {name}"] = None


class _Walk:
    """One pass over the tokens of a statement."""

    def __init__(self, tokens: Sequence[str], found: dict[str, None]) -> None:
        self.tokens = tokens
        self.found = found
        #: Where the last named clause ends.
        self._named = 0
        self._plain = [token.removesuffix("(").strip() for token in tokens]
        self.defines = tokens[0] in {"create", "alter"}
        self.casts: list[int] = []
        self.depth = 0

    def walk(self) -> None:
        for at, token in enumerate(self.tokens):
            first = token[0]
            if self._opens(at):
                self.depth += 1
                if len(token) > 1:
                    self._opened(at, token[:-1].rstrip().strip("`"))
            elif token == ")":
                self.depth -= 1
                while self.casts and self.casts[-1] > self.depth:
                    self.casts.pop()
            formed = form(self.tokens, at)
            if formed:
                self.found[formed] = None
            if self._opens(at):
                continue
            if token.startswith("@@"):
                self._add("variable", re.sub(r"^@@(?:global\.|session\.|local\.)?", "", token))
            elif first == "@":
                self._add("word", "@user variable")
            elif token in _OPERATORS:
                self._add("operator", "!=" if token == "<>" else token)
            elif first.isalpha() or first == "_":
                self._word(at, token)

    def _manner(self, at: int, word: str, after: str) -> str:
        """What a word operator works on, when that is a test of its own."""
        inner = next((one for one in self.tokens[at + 1 : at + 3] if one != "("), "")
        if word in {"in", "exists"} and inner in {"select", "with", "values"}:
            return " query"
        if word == "in" and self.tokens[at - 1] == ")" and self.tokens[at + 1 : at + 2] == ["("]:
            return " tuple"
        return " escaped" if word in {"like", "ilike"} and "\\" in after else ""

    def _opens(self, at: int) -> bool:
        return at < len(self.tokens) and opens(self.tokens[at])

    def _add(self, kind: str, what: str) -> None:
        self.found[f"{kind} {what}"] = None

    def _before(self, at: int) -> str:
        return self.tokens[at - 1].removesuffix("(").strip() if at else ""

    def _after(self, at: int) -> str:
        return self.tokens[at + 1].removesuffix("(").strip() if at + 1 < len(self.tokens) else ""

    def _opened(self, at: int, word: str) -> None:
        """A word with a parenthesis: a call, a type with parameters, or syntax."""
        before = self._before(at)
        if (
            word in TYPES
            and (self.defines or self.casts or before == "::")
            and before not in {"select", ",", "default"}
        ):
            self._type(at, word)
        elif word in NOT_CALLED or before in _NAMED_AFTER:
            self._word(at, word)
        elif word not in KEYWORDS and not word.isidentifier():
            return
        elif before not in {"as", "with", "recursive", "database", "procedure", "function", "."} and not (
            before in {"exists", "on", ","}
            and self.tokens[0] in {"create", "drop", "alter", "insert", "grant"}
            and not self.casts
            and self.depth == 1
        ):
            self._add("call", word)
            if word in {"cast", "try_cast", "convert"}:
                self.casts.append(self.depth)
            else:
                self._arguments(at, word)

    def _arguments(self, at: int, name: str) -> None:
        depth, position, argument = 1, 1, list[str]()
        for token in self.tokens[at + 1 :]:
            depth += opens(token) - (token == ")")
            if depth == 0 or (token == "," and depth == 1):
                kind = kind_of(argument)
                if kind:
                    self._add("call", f"{name} {min(position, 4)} {kind}")
                argument, position = [], position + 1
                if depth == 0:
                    return
            else:
                if token == "distinct" and not argument:
                    self._add("clause", f"{name} distinct")
                    continue
                argument.append(token)

    def _type(self, at: int, word: str) -> None:
        inside = []
        if self.tokens[at][-1] == "(":
            for token in self.tokens[at + 1 :]:
                if token == ")":
                    break
                if token != ",":
                    inside.append(token)
        end = at + len(inside) * 2 + 1 if inside else at + 1
        unsigned = " unsigned" if "unsigned" in self.tokens[at + 1 : end + 2][:8] and word != "unsigned" else ""
        kind = "cast" if self.casts or self._before(at) == "::" else "type"
        self._add(kind, f"{SPELT.get(word, word)}{type_class(word, inside)}{unsigned}")

    def _tested(self, at: int, word: str, before: str, after: str) -> None:
        """A word that compares or looks for something."""
        if word == "is":
            self._add("operator", f"is {after}" if after != "not" else f"is not {self._after(at + 1)}")
        elif word == "like" and self.tokens[0] == "show":
            self._add("clause", "show like")
        elif word in _WORD_OPERATORS and not (word == "like" and self.defines):
            self._add("operator", f"{'not ' if before == 'not' else ''}{word}{self._manner(at, word, after)}")

    def _word(self, at: int, word: str) -> None:
        before, after = self._before(at), self._after(at)
        if before == ".":
            owner = self.tokens[at - 2] if at > 1 else ""
            if owner in SYSTEM_DATABASES:
                self._add("catalog", f"{owner}.{word}")
            return
        if after == "." or (before == "as" and self.tokens[0] != "create" and not self.casts):
            return
        typed = (self.defines or self.casts or before == "::") and before not in {",", "(", "select"}
        if word in TYPES and typed and word not in {"set", "enum"}:  # those have parentheses
            self._type(at, word)
            return
        self._tested(at, word, before, after)
        opens = self._opens(at)
        called = opens or self._opens(at + 1)
        named = clause(self._plain, at, defines=self.defines, inside=self.depth > opens, called=called)
        if named:
            self._add("clause", named)
            self._named = at + len(named.split())
        if word in KEYWORDS and at >= self._named and not joins(self._plain, at):
            if word not in SCENERY:
                self._add("word", word)
            if after in KEYWORDS and at and self.tokens[at][-1] != "(":
                self._add("pair", f"{word} {after}")
            elif after == "(" or self.tokens[at][-1] == "(":
                inner = self.tokens[at + 1 + (self.tokens[at][-1] != "(") :][:1]
                if inner and inner[0] in {"select", "with"}:
                    self._add("pair", f"{word} (select")


def type_class(word: str, parameters: Sequence[str]) -> str:
    """The parameters of a type by class: widths apart from whether there are any say little."""
    if not parameters:
        return ""
    width = int(parameters[0]) if parameters[0].isdecimal() else 1
    if word in {"decimal", "numeric", "dec"}:
        size = "18" if width <= 18 else "38" if width <= 38 else "more"
        return f"({size},s)" if parameters[1:] and parameters[1] != "0" else f"({size})"
    if word in {"set", "enum"}:
        return ""
    if word in _WIDE:
        return "(0)" if not width else "(n)" if width <= _WIDEST else "(n>255)"
    if word in {"datetime", "timestamp", "time", "bit"}:
        return "(n)" if width else "(0)"
    return "(n,n)" if len(parameters) > 1 else "(n)"


def kind_of(argument: Sequence[str]) -> str:
    """What an argument is: a kind of literal, ``column``, ``star`` …; empty for an expression."""
    if not argument:
        return ""
    negative = argument[0] == "-" and len(argument) == 2
    if len(argument) == 2 and argument[0] in {"date", "time", "timestamp"} and argument[1][0] in "'\"":
        return "temporal"
    if len(argument) in {3, 5} and all(token == "." or token[0].isalpha() or token[0] in "_`" for token in argument):
        return "column"
    if len(argument) != 1 and not negative:
        return ""
    return _single(argument[-1], negative=negative)


def _single(token: str, *, negative: bool) -> str:  # noqa: PLR0911 - one a kind of literal
    first = token[0]
    if _NUMBER.match(token):
        if token.startswith("0x"):
            return "hex"
        return "negative" if negative else "float" if "e" in token else "decimal" if "." in token else "integer"
    if first in "'\"":
        body = token[1:-1]
        if not body:
            return "empty"
        if _TEMPORAL.match(token):
            return "temporal"
        return "document" if body[0] in "{[" and body[-1] in "}]" else "text"
    if first in "xb" and token[1:2] == "'":
        return "hex"
    if token in {"null", "*", "?"}:
        return {"null": "null", "*": "star", "?": "parameter"}[token]
    if token in {"true", "false"}:
        return "truth"
    if first == "@":
        return "variable"
    return "column" if first.isalpha() or first in "_`" else ""


def weight_of(aspect: str) -> float:
    """What an aspect takes of the room in a statement; pairs are two words seen together."""
    return 0.0 if aspect.startswith(("pair ", "over ")) else 0.5 if aspect.startswith("word ") else 1.0


def counted(aspects: Iterable[str]) -> list[str]:
    """The first aspects of a statement, as many as are counted."""
    found, room = [], float(DENSE)
    for aspect in aspects:
        room -= weight_of(aspect)
        if room < 0:
            break
        found.append(aspect)
    return found
