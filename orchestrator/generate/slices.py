"""What a statement of a script needs to run: the statements before it that make what it names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

from orchestrator.cases.sql.tokens import word_of
from orchestrator.cases.sql.words import SYSTEM_DATABASES
from orchestrator.generate.library import LibraryScript
from orchestrator.generate.policy import forbidden

#: Statements that fill or change a table, taken along with it; more rows say little.
_FILLED = 2
_DEEPEST = 6
#: Kinds of index that a session must allow first.
_SWITCHED = frozenset({"hnsw"})
#: What policy says of a statement. The same statements come up again and again while choosing.
is_forbidden = lru_cache(maxsize=100_000)(forbidden)


class Slicer:
    """The needs of the statements of one script, worked out when asked for."""

    def __init__(self, script: LibraryScript) -> None:
        self.statements = script.statements
        self.made: dict[str, list[int]] = defaultdict(list)
        self.kinds: dict[str, str] = {}
        self._filled: dict[str, list[int]] = defaultdict(list)
        self._memory: dict[int, tuple[int, ...]] = {}
        self._runnable: dict[int, bool] = {}
        self._settings = [at for at, one in enumerate(self.statements) if one.tokens[0].lower() == "set"]
        for at, statement in enumerate(self.statements):
            for kind, name in statement.made:
                self.made[name].append(at)
                self.kinds[name] = kind
        for at, statement in enumerate(self.statements):
            self._fill(at, statement.tokens)

    def _fill(self, at: int, tokens: Sequence[str]) -> None:
        head = [word_of(token) for token in tokens[:2]]
        if head[0] not in {"insert", "load", "alter"} and head not in (["create", "index"], ["create", "unique"]):
            return
        for token in tokens[1:14]:
            name = word_of(token)
            if name in self.made and self.kinds[name] == "table":
                self._filled[name].append(at)
                return

    def needs(self, at: int, depth: int = 0) -> tuple[int, ...]:
        """The positions of what must run before, in order."""
        if at in self._memory:
            return self._memory[at]
        self._memory[at] = ()  # what needs itself needs nothing
        found: set[int] = set()
        if depth <= _DEEPEST:
            for name in sorted(self.statements[at].names & self.made.keys()):
                for one in self._of_name(name, at):
                    found |= {one, *self.needs(one, depth + 1)}
            for one in self._of_session(at):
                found |= {one, *self.needs(one, depth + 1)}
        found.discard(at)
        self._memory[at] = tuple(sorted(found))
        return self._memory[at]

    def runnable(self, at: int) -> bool:
        """Whether everything a statement and its needs work on is made in the script, or is the server's own.

        What policy forbids runs nowhere: it would cost the file it is cut into.
        """
        if at not in self._runnable:
            self._runnable[at] = all(self._known(one) for one in (*self.needs(at), at))
        return self._runnable[at]

    def _known(self, at: int) -> bool:
        if is_forbidden(self.statements[at].sql):
            return False
        own = {name for _, name in self.statements[at].made}
        for table in self.statements[at].tables - own:
            database, _, name = table.rpartition(".")
            known = database in SYSTEM_DATABASES or name in own or name in {"dual", "*"}
            if not known and not any(one < at for one in self.made.get(name, ())):
                return False
        return True

    def _of_name(self, name: str, at: int) -> list[int]:
        before = [one for one in self.made[name] if one < at]
        if not before:
            return []
        found = [before[-1]]
        if self.kinds[name] == "table":
            found += [one for one in self._filled[name] if before[-1] < one < at][:_FILLED]
        if self.kinds[name] in {"database", "schema"}:
            used = [one for one in range(before[-1], at) if word_of(self.statements[one].tokens[0]) == "use"]
            found += used[-1:]
        return found

    def _of_session(self, at: int) -> list[int]:
        """What a statement takes from its session: prepared statements and user variables."""
        tokens = [token.lower() for token in self.statements[at].tokens]
        wanted = [["set", token] for token in dict.fromkeys(tokens) if token[0] == "@" and token[1:2] != "@"]
        if tokens[0] in {"execute", "deallocate"} and len(tokens) > 1:
            wanted.append(["prepare", tokens[-1 if tokens[0] == "deallocate" else 1]])
        found = []
        for want in wanted:
            for one in range(at - 1, -1, -1):
                if [token.lower() for token in self.statements[one].tokens[:2]] == want:
                    found.append(one)
                    break
        for kind in _SWITCHED.intersection(tokens):
            allows = f"experimental_{kind}_index"
            found += [one for one in self._settings if one < at and allows in self.statements[one].names][-1:]
        return found
