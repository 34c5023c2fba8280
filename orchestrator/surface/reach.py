"""What SQL reaches each function of a revision, worked out once: small enough for a model file, quick to look up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from posixpath import dirname
from typing import NamedTuple

from orchestrator.surface.model import Definition, Kind, Surface
from orchestrator.surface.targets import own_targets

#: Calls that are followed from what stands in a registry down to a function.
_HOPS = 3
#: Of the callers of one function, and of the targets that reach it, so many count.
_WIDEST, _MOST = 12, 12


class Reached(NamedTuple):
    """Something SQL can say that gets to a function: how many calls lie between, and from which function they start."""

    distance: int
    kind: str
    name: str
    #: ``Func`` or ``Receiver.Method`` that implements it.
    by: str


@dataclass(frozen=True, slots=True)
class Reach:
    """A surface as a table. Functions are named as in a change: ``directory:Func``."""

    functions: dict[str, tuple[Reached, ...]] = field(default_factory=dict)
    #: Directory of an operator's code to its SQL.
    operators: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: What code writes to mean something of SQL (``function.ABS``, ``ErrDivByZero``, ``autocommit``) to kind and name.
    symbols: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    #: Error code to message.
    errors: dict[str, str] = field(default_factory=dict)

    def of(self, files: Iterable[str], functions: Iterable[str], symbols: Iterable[str]) -> list[Reached]:
        """What reaches a change to functions of some files that names some symbols; nearest first, each once."""
        best: dict[tuple[str, str], Reached] = {}
        for found in (*self._named(symbols), *self._operators(files), *self._called(functions)):
            key = (found.kind, found.name)
            if key not in best or found < best[key]:
                best[key] = found
        return sorted(best.values())

    def _named(self, symbols: Iterable[str]) -> Iterator[Reached]:
        for symbol in symbols:
            for kind, name in self.symbols.get(symbol, ()):
                yield Reached(0, kind, name, "")

    def _operators(self, files: Iterable[str]) -> Iterator[Reached]:
        for directory in {dirname(path) for path in files}:
            for name in self.operators.get(directory, ()):
                yield Reached(0, Kind.OPERATOR.value, name, "")

    def _called(self, functions: Iterable[str]) -> Iterator[Reached]:
        for function in functions:
            yield from self.functions.get(function, ())


def reach_of(surface: Surface) -> Reach:
    """The table of a surface whose calls are at hand; without them only what changed lines name is known."""
    symbols = {symbol: tuple((kind.value, name) for kind, name in pairs) for symbol, pairs in surface.symbols.items()}
    for kind, names in ((Kind.VARIABLE, surface.variables), (Kind.FUNCTION, surface.functions)):
        for name in names:
            symbols.setdefault(name, ((kind.value, name),))
    return Reach(_functions(surface), dict(surface.operators), symbols, dict(surface.errors))


def _functions(surface: Surface) -> dict[str, tuple[Reached, ...]]:
    if surface.calls is None:
        return {}
    definitions = surface.calls.definitions()
    callers = {one: surface.calls.callers(one)[:_WIDEST] for one in definitions}
    own = {one: tuple(_own(surface, one)) for one in definitions}
    known: Mapping[Definition, tuple[Reached, ...]] = {one: found for one, found in own.items() if found}
    for _ in range(_HOPS):
        known = {
            one: found
            for one in definitions
            if (found := _nearest((*own[one], *_above(known, callers[one]))))
        }  # fmt: skip
    said = {one: found for one in definitions if (found := (*known.get(one, ()), *_errors(surface, one)))}
    return {f"{one.directory}:{one.name}": found for one, found in said.items()}


def _errors(surface: Surface, definition: Definition) -> Iterator[Reached]:
    """The errors that a function's body names; those of its callers are not its own."""
    references = surface.calls.references(definition) if surface.calls else ()
    names = {name for one in references for kind, name in surface.symbols.get(one, ()) if kind is Kind.ERROR}
    for name in sorted(names)[:_MOST]:
        yield Reached(1, Kind.ERROR.value, name, definition.name)


def _own(surface: Surface, definition: Definition) -> Iterator[Reached]:
    for target in own_targets(surface, definition):
        yield Reached(0, target.kind.value, target.name, definition.name)


def _above(known: Mapping[Definition, tuple[Reached, ...]], callers: Iterable[Definition]) -> Iterator[Reached]:
    for caller in callers:
        for found in known.get(caller, ()):
            yield found._replace(distance=found.distance + 1)


def _nearest(found: Iterable[Reached]) -> tuple[Reached, ...]:
    best: dict[tuple[str, str], Reached] = {}
    for one in sorted(found):
        best.setdefault((one.kind, one.name), one)
        if len(best) == _MOST:
            break
    return tuple(best.values())
