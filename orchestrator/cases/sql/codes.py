"""Each token as a code that says what it means to a test: a fixed word, a name, a call, or a literal by class."""

from __future__ import annotations

from typing import Final

from orchestrator.cases.sql.literals import number_class, string_class
from orchestrator.cases.sql.words import NOISE, SYNONYMS, is_fixed

#: The first character of a code that is not its own meaning.
NAME, CALL, LITERAL = "\x01", "\x02", "\x03"


QUOTE: Final = "'"
QUOTES: Final = "'\"$"

#: Ends the class of a literal whose value stands more than once in its statement: how often, and which value it is.
TIMES, VALUE = "\x04", "\x05"
#: The code of a word that may be left out. No code is empty.
SILENT: Final = "\x07"
#: Begins the rank of a literal among those it can be compared with (`arguments`).
RANK: Final = "\x06"


#: What is remembered of tokens is bounded: longer ones are not kept, and past so many all are forgotten.
_LONGEST, _MOST = 100, 400_000


class _Codes(dict[str, str]):
    """Token → code without context."""

    def __missing__(self, token: str) -> str:
        code = _code(token)
        if len(token) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[token] = code
        return code


class _Spellings(dict[str, str]):
    """Token → the token without differences of case and white space."""

    def __missing__(self, token: str) -> str:
        if token[0] in QUOTES or token[1:2] == QUOTE:
            spelled = token
        elif token[-1] == "(":
            spelled = f"{token[:-1].rstrip().lower()}("
        else:
            spelled = token.lower()
        if len(token) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[token] = spelled
        return spelled


code_of = _Codes().__getitem__
spelling_of = _Spellings().__getitem__


def literal_body(token: str) -> str:
    """What stands between the quotes of a string token, escapes as written; an unterminated one has no last quote."""
    if token.startswith("$$"):
        return token[2:-2] if len(token) > 3 and token.endswith("$$") else token[2:]
    return token[1:-1] if len(token) > 1 and token[-1] == token[0] else token[1:]


def quoted_name(token: str) -> str:
    """The name between backticks, in lower case; "``" where there is none."""
    return literal_body(token).lower() or "``"


def literal_value(token: str) -> str:
    """What a literal token stands for, however it is quoted."""
    return literal_body(token) if token[0] in QUOTES else token.lower()


def exact_code(token: str) -> str:
    """The code of a literal that is compared as it is; ``'1'`` is not ``1``."""
    return f"{LITERAL}={QUOTE if token[0] in QUOTES else ''}{literal_value(token)}"


def _code(token: str) -> str:  # noqa: PLR0911 - one a kind of token
    first = token[0]
    if first in "'\"" or token.startswith("$$"):
        return f"{LITERAL}s{string_class(literal_body(token))}"
    if first == "`":
        return _call(quoted_name(token[:-1].rstrip())) if token[-1] == "(" else _word(quoted_name(token))
    if first == "@":
        word = token.lower()
        return word if word.startswith("@@") or word == "@" else NAME + word
    if first.isdecimal() or (first == "." and len(token) > 1):
        return _number(token.lower())
    if token[1:2] == "'":
        return f"{LITERAL}{first.lower()}{len(token)}{'' if token[2:-1].strip('0') else 'z'}"
    if first.isalpha() or first == "_":
        return _call(token[:-1].rstrip().lower()) if token[-1] == "(" else _word(token.lower())
    return SYNONYMS.get(token, token)


def _number(token: str) -> str:
    kind = number_class(token)
    return NAME + token if kind == token and not token.isdecimal() else LITERAL + kind


def _word(word: str) -> str:
    word = SYNONYMS.get(word, word)
    if word in NOISE:
        return SILENT
    return word if is_fixed(word) else NAME + word


def _call(word: str) -> str:
    word = SYNONYMS.get(word, word)
    if word in NOISE:
        return "("
    return f"{word}(" if is_fixed(word) else CALL + word
