"""From a change to what SQL can reach it: what it names or implements, then what calls that, a few hops away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from posixpath import basename, dirname

from orchestrator.surface.comments import without_comments
from orchestrator.surface.model import ChangedFile, Definition, Kind, Role, Surface, Target

_WORD = re.compile(r"(?<![\w.])(?:[a-z]\w*\.)?[A-Z]\w*")
_QUOTED = re.compile(r"\"([a-z]\w{1,60})\"")
#: A line that holds a quoted name and nothing else is an import of a package, which may be called as a function is.
_IMPORT = re.compile(r"^ ?(?:\w+ )?\"[\w./-]+\" ?$", re.M)
#: A body that mentions more kinds of statement than this is a dispatcher and says nothing.
_DISPATCHER = 4
#: From one function; the rest of a crowd of callers is cut.
_WIDEST = 12


def targets(surface: Surface, changes: Iterable[ChangedFile], hops: int = 3) -> list[Target]:
    """The targets of a change, nearest first; the same input gives the same order. Each (kind, name) comes once."""
    best: dict[tuple[Kind, str], Target] = {}
    for change in changes:
        if change.path.endswith(surface.generated):
            continue
        for target in (*_named(surface, change), *_implemented(surface, change), *_called(surface, change, hops)):
            key = (target.kind, target.name)
            if key not in best or target < best[key]:
                best[key] = target
    return sorted(best.values())


def own_targets(surface: Surface, definition: Definition) -> list[Target]:
    """What one function is for by itself: what registries say of it, its operator, the statements it handles."""
    operators = surface.operators.get(definition.directory, ())
    found = [Target(0, Kind.OPERATOR, name, definition.name) for name in operators]
    return [*found, *_reached(surface, definition, 0, definition.name)]


def changed_text(change: ChangedFile) -> str:
    """The changed lines without those that only moved or were aligned anew, and without comments."""
    added, deleted = ({" ".join(line.split()): None for line in side} for side in (change.added, change.deleted))
    lines = [*(line for line in added if line not in deleted), *(line for line in deleted if line not in added)]
    return without_comments("\n".join(lines))


def _named(surface: Surface, change: ChangedFile) -> Iterator[Target]:
    """What the changed lines say: symbols of the registries, names in quotes, keywords of the grammar."""
    where = basename(change.path)
    near = 1 if where.endswith("_test.go") else 0
    code = _IMPORT.sub("", changed_text(change))
    words = set(_WORD.findall(code))
    package = basename(dirname(change.path))
    for word in words:
        qualified = word if "." in word else f"{package}.{word}"
        for kind, name in (*surface.symbols.get(qualified, ()), *surface.symbols.get(word, ())):
            yield Target(near, kind, name, f"{where} names {word}")
    for quoted in set(_QUOTED.findall(code)):
        if quoted in surface.variables:
            yield Target(near, Kind.VARIABLE, quoted, f"{where} names the variable")
        elif quoted in surface.functions:
            distance = near if surface.functions[quoted].role is Role.TABLE else 1  # in code they have no other name
            yield Target(distance, Kind.FUNCTION, quoted, f"{where} names the function")
    if change.path.endswith(".y"):
        for token in words & surface.keywords.keys():
            yield Target(0, Kind.KEYWORD, surface.keywords[token], f"{where} changes a rule with it")


def _implemented(surface: Surface, change: ChangedFile) -> Iterator[Target]:
    for operator in surface.operators.get(dirname(change.path), ()):
        yield Target(0, Kind.OPERATOR, operator, f"{dirname(change.path)} implements it")
    for function in change.functions:
        yield from _reached(surface, Definition(dirname(change.path), function), 0, function)


def _reached(surface: Surface, definition: Definition, distance: int, why: str) -> Iterator[Target]:
    """What one function is for: it stands in a registry, is an operator's, or handles a kind of statement."""
    if definition.directory.startswith(surface.homes):
        for name in surface.implementations.get(definition.name.rpartition(".")[2], ()):
            yield Target(distance, Kind.FUNCTION, name, why)
    if distance:
        for operator in surface.operators.get(definition.directory, ()):
            yield Target(distance, Kind.OPERATOR, operator, why)
    references = surface.calls.references(definition) if surface.calls else ()
    pairs = {pair for one in references for pair in surface.symbols.get(one, ()) if one.startswith("tree.")}
    meant = sorted(name for kind, name in pairs if kind is Kind.STATEMENT)
    if len(meant) <= _DISPATCHER:
        for name in meant:
            yield Target(distance, Kind.STATEMENT, name, why)


def _called(surface: Surface, change: ChangedFile, hops: int) -> Iterator[Target]:
    """What calls the changed functions, breadth first."""
    if surface.calls is None:
        return
    for function in change.functions:
        start = Definition(dirname(change.path), function)
        seen = {start}
        edge = [(start, function)]
        for distance in range(1, hops + 1):
            reached = []
            for definition, path in edge:
                for caller in surface.calls.callers(definition)[:_WIDEST]:
                    if caller not in seen:
                        seen.add(caller)
                        reached.append((caller, f"{path} ← {caller.name}"))
            for caller, why in reached:
                yield from _reached(surface, caller, distance, why)
            edge = reached
