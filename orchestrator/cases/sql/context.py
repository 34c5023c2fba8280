"""What only its place tells of a token: which literals count as they are, which names are the server's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from orchestrator.cases.sql.codes import CALL, LITERAL, NAME, SILENT, code_of, exact_code, literal_body
from orchestrator.cases.sql.lexer import tokenize, without_comments
from orchestrator.cases.sql.words import SYSTEM_DATABASES

#: The parameters of these belong to the type: ``decimal(10,2)`` is another type than ``decimal(38,10)``.
_TYPE_NAMES = """
binary bit char character datetime dec decimal double precision enum fixed float nchar numeric real time timestamp
tinyint smallint mediumint int bigint varbinary varchar vecbf16 vecf16 vecf32 vecf64 vecint8 vecuint8 year blob text
geometry
"""
_TYPES = frozenset(f"{name}(" for name in _TYPE_NAMES.split())
#: After these words a literal is a pattern or an option's value.
_PATTERN_WORDS = frozenset(
    {"like", "ilike", "regexp", "rlike", "escape", "op_type", "quantization", "parser", "format", "compression"}
    | {"separator", "algorithm", "infile", "outfile", "url", "srid", "option"}
)
_PATTERN_OPENERS = _PATTERN_WORDS | {f"{word}(" for word in _PATTERN_WORDS}
_BETWEEN_WORD_AND_LITERAL = frozenset({"=", "(", "binary", "not", "file"})
#: Calls whose arguments after the first are formats, patterns, paths, modes or units.
_FORMATTED = frozenset(
    {
        *(f"regexp_{verb}" for verb in ("like", "replace", "substr", "instr")),
        *("date_format", "time_format", "str_to_date", "to_date", "from_unixtime", "get_format", "convert_tz"),
        *("jq", "try_jq", "json_contains_path", "json_search", "sha2", "date_trunc", "extract", "against"),
    }
)
_ALL_ARGUMENTS = frozenset({"against", "date_trunc", "extract"})
_HINTS = frozenset({"/*+"})
_EXACT_HEADS = frozenset({"set", "load", "show", "restore"})
_EXACT_SECONDS = frozenset({"stage", "external", "pitr", "cdc", "procedure", "function", "task"})
_EXACT_AFTER = frozenset({"outfile", "infile"})
_BEFORE_ALIAS = frozenset({")", "null", "end", "true", "false"})
_BEFORE_NAME = frozenset({NAME, LITERAL, SILENT})
_SORTED_BY = frozenset({"order", "group"})
_SORTED_NO_MORE = frozenset({"limit", "having", "union", "select", "for", "into"})
#: What tells where a walk is.
_STEERING = _SORTED_NO_MORE | _HINTS | {"*/", ")", ",", "by"}
_BEFORE_CHARACTERS = frozenset({"charset", "character", "collate"})
#: A string that begins like this is a statement, or the first piece of one.
_STATEMENT = re.compile(
    r"\s*(?:select|insert|replace|update|delete|create|alter|drop|truncate|with|show|explain|set|load|call|grant|revoke"
    r"|rename|values)\s",
    re.IGNORECASE,
)

#: A statement without any of these needs no look at places.
TRIGGERS = (
    _TYPES
    | _PATTERN_WORDS
    | SYSTEM_DATABASES
    | _BEFORE_CHARACTERS
    | {"by", "limit", "offset", "prepare", "execute", ":="}
    | _HINTS
    | {f"{CALL}{name}" for name in _FORMATTED}
    | {f"{name}(" for name in _FORMATTED}
)


def needs_places(codes: Sequence[str], words: set[str]) -> bool:
    """Whether `placed` could answer anything but ``codes``; ``words`` are the same as a set."""
    return codes[0] in _EXACT_HEADS or not TRIGGERS.isdisjoint(words) or (len(codes) > 1 and codes[1] in _EXACT_SECONDS)


def placed(tokens: Sequence[str], codes: list[str]) -> tuple[Sequence[str], list[str]]:
    """The tokens in the one order that equal statements have, and the code of each by its place as well.

    The statement inside a PREPARE's string is laid open, also where a variable is to hold it, in pieces or whole, and
    ``LIMIT a, b`` becomes ``LIMIT b OFFSET a``.
    """
    if codes[0] == "prepare" or (_keeps_text(codes) and any(map(_begins_statement, tokens))):
        tokens = list(_prepared(tokens))
        codes = list(map(code_of, tokens))
    if "limit" in codes:
        tokens, codes = _with_offset(tokens, codes)
    if not SYSTEM_DATABASES.isdisjoint(codes) and _is_on_system(codes):
        _fix_system_names(codes)
    if not _BEFORE_CHARACTERS.isdisjoint(codes):
        _fix_character_sets(codes)
    head, second = codes[0], codes[1] if len(codes) > 1 else ""
    if head == "set" and second and second[:2] != f"{NAME}@":
        codes = [code[1:] if code[:1] == NAME and code[1:2] != "@" else code for code in codes]
    elif (head not in _EXACT_HEADS or head == "set") and second not in _EXACT_SECONDS:
        _Places(tokens, codes).read()
        return tokens, codes
    return tokens, [
        exact_code(token) if code[:1] == LITERAL else code for token, code in zip(tokens, codes, strict=True)
    ]


def _with_offset(tokens: Sequence[str], codes: Sequence[str]) -> tuple[list[str], list[str]]:
    tokens = list(tokens)
    for place, code in enumerate(codes):
        if code == "limit" and codes[place + 2 : place + 3] == [","] and len(codes) > place + 3:
            skip, _, count = tokens[place + 1 : place + 4]
            tokens[place + 1 : place + 4] = [count, "offset", skip]
    return tokens, list(map(code_of, tokens))


def _keeps_text(codes: Sequence[str]) -> bool:
    """Whether a text may be kept in a variable, to be prepared, or is executed at once."""
    sets_variable = codes[0] == "set" and any(code.startswith(f"{NAME}@") for code in codes[1:2])
    return codes[0] == "execute" or ":=" in codes or sets_variable


def _begins_statement(token: str) -> bool:
    return token[0] in "'\"" and _STATEMENT.match(token, 1) is not None


def _prepared(tokens: Sequence[str]) -> Iterable[str]:
    """The tokens of a PREPARE, with the statement inside its string in place of the string."""
    for token in tokens:
        if token[0] in "'\"" and len(token) > 2:
            yield from ("<<", *tokenize(without_comments(literal_body(token).replace("''", "'"))), ">>")
        else:
            yield token


def _is_on_system(codes: Sequence[str]) -> bool:
    """Whether a database of the server is named. ``account sys`` and ``sys publication`` name an account."""
    return any(
        code in SYSTEM_DATABASES and codes[place - 1] != "account" and codes[place + 1 : place + 2] != ["publication"]
        for place, code in enumerate(codes)
    )


def _fix_system_names(codes: list[str]) -> None:
    """Names in a statement on system tables are the server's, save aliases (AS has no code) and user variables."""
    aliases = set[str]()
    for place, code in enumerate(codes[1:], 1):
        before = codes[place - 1]
        if code[:1] == NAME and (before in _BEFORE_ALIAS or before[:1] in _BEFORE_NAME):
            aliases.add(code)
    for place, code in enumerate(codes):
        if code[:1] == NAME and code not in aliases and code[1:2] != "@":
            codes[place] = code[1:]


def _fix_character_sets(codes: list[str]) -> None:
    """The name after CHARSET, CHARACTER SET or COLLATE is the server's, or is meant to be none."""
    for place, code in enumerate(codes):
        if code[:1] == NAME and (
            codes[place - 1] in _BEFORE_CHARACTERS or codes[place - 2 : place] == ["character", "set"]
        ):
            codes[place] = code[1:]


class _Places:
    """One walk over a statement that makes literals exact, in place, where their place says so."""

    def __init__(self, tokens: Sequence[str], codes: list[str]) -> None:
        self.tokens = tokens
        self.codes = codes
        #: The open parentheses: [opening code, number of the argument, inside ORDER BY or GROUP BY].
        self.open: list[tuple[str, int, bool]] = []
        self.opener, self.argument, self.sorting = "", 0, False

    def read(self) -> None:
        """Walk."""
        codes, previous, pattern, rest = self.codes, "", False, False
        for place, code in enumerate(codes):
            mark = code[:1]
            if mark == LITERAL:
                if rest or pattern or self._counts(previous, code):
                    codes[place] = exact_code(self.tokens[place])
                pattern = False
            elif mark == NAME:
                pattern = False
            else:
                if code in _PATTERN_OPENERS:
                    pattern = True
                    rest = rest or code in _EXACT_AFTER
                elif code not in _BETWEEN_WORD_AND_LITERAL:
                    pattern = False
                if code in _STEERING or mark == CALL or code[-1:] == "(":
                    rest = (rest or code in _HINTS) and code != "*/"
                    self._follow(code, previous)
            previous = code if code != SILENT else previous

    def _follow(self, code: str, previous: str) -> None:
        """Know where the walk is after ``code``."""
        if code[:1] == CALL or code[-1:] == "(":
            self.open.append((self.opener, self.argument, self.sorting))
            self.opener, self.argument, self.sorting = code, 0, False
        elif code == ")" and self.open:
            self.opener, self.argument, self.sorting = self.open.pop()
        elif code == ",":
            self.argument += 1
        elif code == "by":
            self.sorting = previous in _SORTED_BY
        elif code in _SORTED_NO_MORE:
            self.sorting = False

    def _counts(self, previous: str, code: str) -> bool:
        if self.opener in _TYPES:
            return code[1:2] != "s" or self.opener == "enum("
        if self.sorting:
            return previous in ("by", ",")
        name = self.opener[1:] if self.opener[:1] == CALL else self.opener[:-1]
        return name in _FORMATTED and (self.argument > 0 or name in _ALL_ARGUMENTS)
