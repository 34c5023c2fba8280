"""MatrixOne's tokens made ready for MySQL's parser: what it cannot read is renamed, or cut out as a clause."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot.tokenizer_core import Token, TokenType

#: Ends the name of a call that the parser shall leave as it is.
OWN = "__own"
#: What the parser is told to take for ``||``.
CONCATENATION = TokenType.DSTAR
_SNAPSHOTS = {"SNAPSHOT": "VERSION", "MO_TS": "VERSION", "TIMESTAMP": "TIMESTAMP"}
_WINDOW_WORDS = frozenset({"sliding", "fill", "gapfill"})
#: What an index may say of itself after its columns (MatrixOne's grammar, ``index_option``): with a value, and without.
_INDEX_VALUE_WORDS = """
lists op_type m ef_construction ef_search intermediate_graph_degree graph_degree itopk_size quantization position_free
distribution_mode bits_per_code kmeans_train_percent quantizer_train_limit kmeans_max_iteration max_index_capacity
max_postings_capacity auto_update
"""
_INDEX_VALUES = frozenset(_INDEX_VALUE_WORDS.split())
_INDEX_FLAGS = frozenset({"async", "force_sync", "merge"})
_CLOSE = {TokenType.L_PAREN: TokenType.R_PAREN, TokenType.L_BRACE: TokenType.R_BRACE}


def word(token: Token) -> str:
    """A token's text in lower case; nothing for a string or a quoted name."""
    return "" if token.token_type in (TokenType.STRING, TokenType.IDENTIFIER) else token.text.lower()


def like(token: Token, kind: TokenType, text: str) -> Token:
    """A token at the place of ``token``."""
    return Token(kind, text, line=token.line, col=token.col, start=token.start, end=token.end)


class Rewriter:
    """One walk over a statement's tokens: ``kept`` is what the parser reads, ``clauses`` what was cut out."""

    def __init__(self, tokens: Sequence[Token], own: Callable[[str], bool]) -> None:
        self.tokens = tokens
        self.own = own
        self.kept: list[Token] = []
        self.clauses: list[list[Token]] = []
        self.words = [word(token) for token in tokens]

    def run(self) -> None:
        """Walk."""
        place, head = self._head(), self.words[0]
        while place < len(self.tokens):
            end = self._cut(place, head)
            if end > place:
                self.clauses.append(list(self.tokens[place:end]))
                place = end
                continue
            place = self._keep(place, head)

    def _head(self) -> int:
        """The first words of REPLACE and of UPDATE IGNORE; where to go on."""
        first = self.tokens[0]
        if self.words[0] == "replace":
            for kind, text in ((TokenType.INSERT, "INSERT"), (TokenType.OR, "OR"), (TokenType.REPLACE, "REPLACE")):
                self.kept.append(like(first, kind, text))
            if self.words[1:2] != ["into"]:
                self.kept.append(like(first, TokenType.INTO, "INTO"))
            return 1
        if self.words[:2] == ["update", "ignore"]:
            self.kept.append(first)
            self.clauses.append([self.tokens[1]])
            return 2
        return 0

    def _cut(self, place: int, head: str) -> int:  # noqa: PLR0911 - one a clause
        """The end of the clause at ``place`` that the parser does not know; ``place`` where there is none."""
        words, current = self.words, self.words[place]
        following = words[place + 1 : place + 3]
        if current == "into" and (following[:1] == ["outfile"] or self._variable(place + 1)):
            return self._outfile_end(place)
        if current == "by" and following == ["rank", "with"]:
            return place + 5
        if current == "dedup" and following[:1] == ["join"]:
            return place + 1
        if current in _WINDOW_WORDS or (current == "interval" and self._is_window(place)):
            return self._group_end(place + 1) if following[:1] == ["("] else place
        if head == "create":
            if " ".join(current.split()) == "partition by" and "select" not in words[:place]:
                return len(words)
            if current in ("comment", "srid") and place > 2:
                return place + (3 if following[:1] == ["="] else 2)
            return self._index_option_end(place)
        if head == "alter" and current == "srid":
            return place + 2
        return place

    def _index_option_end(self, place: int) -> int:
        words, current = self.words, self.words[place]
        following = words[place + 1 : place + 3]
        if current == "using":  # a method that MySQL knows, at a place where its parser does not
            return place + (2 if "index" in words[1:3] and following[1:] in ([], ["on"]) else 0)
        if "using" not in words[:place] or words[place - 1] in ("(", ",", "."):
            return place
        if current in _INDEX_VALUES:
            return place + (3 if following[:1] == ["="] else 2)
        return place + (current in _INDEX_FLAGS)

    def _variable(self, place: int) -> bool:
        return self.words[place : place + 1] == ["@"]

    def _outfile_end(self, place: int) -> int:
        depth = 0
        for end in range(place, len(self.tokens)):
            depth += {"(": 1, ")": -1}.get(self.words[end], 0)
            if depth < 0:
                return end
        return len(self.tokens)

    def _is_window(self, place: int) -> bool:
        """Whether INTERVAL at ``place`` opens a time window: it follows an operand, where no operator may follow it."""
        before = self.words[place - 1] if place else "("
        return self.words[place + 1 : place + 2] == ["("] and before not in ("(", ",", "+", "-", "select")

    def _group_end(self, place: int) -> int:
        depth = 0
        for end in range(place, len(self.tokens)):
            depth += {"(": 1, ")": -1}.get(self.words[end], 0)
            if depth == 0:
                return end + 1
        return len(self.tokens)

    def _keep(self, place: int, head: str) -> int:
        token, words, kept = self.tokens[place], self.words, self.kept
        following = words[place + 1] if place + 1 < len(words) else ""
        if token.token_type == TokenType.L_BRACE:
            return self._snapshot(place)
        if following == "(" and token.text.upper() and self.own(token.text.upper()):
            kept.append(like(token, TokenType.VAR, token.text + OWN))
        elif token.token_type == TokenType.NUMBER and following in ("rows", "percent"):
            call = self.tokens[place + 1]  # sample(a, 2 rows) → sample(a, rows(2))
            kept += [like(call, TokenType.VAR, call.text), like(call, TokenType.L_PAREN, "("), token]
            kept.append(like(call, TokenType.R_PAREN, ")"))
            return place + 2
        elif head in ("insert", "replace") and following == "." and words[place - 1 : place] in (["("], [","]):
            return self._dotted(place)
        elif token.token_type == TokenType.DPIPE:
            kept.append(like(token, CONCATENATION, token.text))
        else:
            kept.append(token)
        return place + 1

    def _snapshot(self, place: int) -> int:
        """``{snapshot = 's'}`` and ``{as of timestamp 't'}`` as FOR VERSION AS OF and FOR TIMESTAMP AS OF."""
        token, kind = self.tokens[place], self.words[place + 1 : place + 2]
        as_of = self.words[place + 1 : place + 3] == ["as", "of"]
        if not as_of and (not kind or kind[0].upper() not in _SNAPSHOTS):
            self.kept.append(token)
            return place + 1
        phrase = "TIMESTAMP" if as_of else _SNAPSHOTS[kind[0].upper()]
        self.kept.append(like(token, TokenType.FOR, "FOR"))
        self.kept += [like(token, TokenType.VAR, text) for text in (phrase, "AS", "OF")]
        place += 4 if as_of else 3
        while place < len(self.tokens) and self.tokens[place].token_type != TokenType.R_BRACE:
            self.kept.append(self.tokens[place])
            place += 1
        return place + 1

    def _dotted(self, place: int) -> int:
        """``(db.t.a, …)`` in an INSERT: each qualified column as one quoted name, if the list is one of columns."""
        end = place
        while self.words[end + 1 : end + 2] == ["."] and end + 2 < len(self.tokens):
            end += 2
        text = ".".join(token.text for token in self.tokens[place : end + 1 : 2])
        self.kept.append(like(self.tokens[place], TokenType.IDENTIFIER, text))
        return end + 1
