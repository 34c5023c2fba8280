"""Each token as a code that says what it means to a test: a fixed word, a name, a call, or a literal by class."""

from __future__ import annotations

from orchestrator.cases.sql.literals import number_class, string_class
from orchestrator.cases.sql.words import NOISE, SYNONYMS, is_fixed

#: The first character of a code that is not its own meaning.
NAME, CALL, LITERAL = "\x01", "\x02", "\x03"


class _Codes(dict[str, str]):
    """Token → code without context, worked out once a token."""

    def __missing__(self, token: str) -> str:
        code = self[token] = _code(token)
        return code


class _Spellings(dict[str, str]):
    """Token → the token without differences of case and white space."""

    def __missing__(self, token: str) -> str:
        spelled = token if token[0] in "'\"" or token[1:2] == "'" else token.lower()
        if spelled[-1] == "(":
            spelled = f"{spelled[:-1].rstrip()}("
        self[token] = spelled
        return spelled


code_of = _Codes().__getitem__
spelling_of = _Spellings().__getitem__


def literal_body(token: str) -> str:
    """What stands between the quotes of a string token, escapes as written; an unterminated one has no last quote."""
    return token[1:-1] if len(token) > 1 and token[-1] == token[0] else token[1:]


def exact_code(token: str) -> str:
    """The code of a literal that is compared as it is."""
    return f"{LITERAL}={literal_body(token)}" if token[0] in "'\"" else f"{LITERAL}={token.lower()}"


def _code(token: str) -> str:
    first = token[0]
    if first in "'\"":
        return f"{LITERAL}s{string_class(literal_body(token))}"
    if first == "`":
        return _word(literal_body(token).lower())
    if first == "@":
        word = token.lower()
        return word if word.startswith("@@") or word == "@" else NAME + word
    if first.isdecimal() or (first == "." and token != "."):
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
        return ""
    return word if is_fixed(word) else NAME + word


def _call(word: str) -> str:
    word = SYNONYMS.get(word, word)
    if word in NOISE:
        return "("
    return f"{word}(" if is_fixed(word) else CALL + word
