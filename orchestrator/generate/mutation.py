"""Mutation: cases near the change, varied one step in the dimensions that the change touches.

A variant stands in its script right after what it was made from, so that it needs what that needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from orchestrator.generate.chance import Chance
from orchestrator.generate.draft import is_unstable
from orchestrator.generate.evidence import Evidence, query_of
from orchestrator.generate.inputs import Inputs
from orchestrator.generate.kits import kit
from orchestrator.generate.library import LibraryScript, Statement, read_script
from orchestrator.generate.retype import retyped
from orchestrator.generate.slices import Slicer
from orchestrator.generate.variants import variants
from orchestrator.surface.model import Surface

#: Scripts near the change, queries of each, dimensions, and variants of each dimension in all.
_SCRIPTS, _QUERIES, _DIMENSIONS, _VARIANTS = 8, 12, 24, 4
#: Scripts with a column of another type, a type.
_RETYPED = 3
_LONGEST = 300
#: How the aspects begin in which a query can be varied.
_PREFIXES = ("clause ", "operator ", "call ", "statement explain")


@dataclass(frozen=True, slots=True)
class Varied:
    """A script with variants in it, and where they stand."""

    script: LibraryScript
    positions: frozenset[int]


def varied(
    inputs: Inputs, evidence: Evidence, worth: Mapping[str, float], likely: float, chance: Chance
) -> dict[str, Varied]:
    """The scripts near a change, and those of our own kit, with variants in the likely dimensions, by their path.

    Those with a column of another type are scripts of their own: what stands beside them stays as it was.
    """
    dimensions = sorted(
        (one for one, odds in evidence.odds.items() if odds >= likely and one.startswith(_PREFIXES)),
        key=lambda one: (-worth.get(one, 0.0), one),
    )[:_DIMENSIONS]
    near = inputs.library.near(query_of(inputs.title, inputs.changes, inputs.targets), _SCRIPTS)
    scripts = {path: inputs.library.scripts[path] for _, path in near} | kit()
    left = dict.fromkeys(dimensions, _VARIANTS)
    found = {}
    for path, script in scripts.items():
        if any(left.values()):
            made = _of_script(script, left, inputs.surface)
            if made:
                found[path] = _with(script, made)
    kinds = [one.removeprefix("over ") for one, odds in evidence.odds.items() if odds >= likely and _is_type(one)]
    for kind in kinds:
        of_near = dict(_of_type({path: scripts[path] for _, path in near}, kind, chance))
        found |= of_near or dict(_of_type(kit(), kind, chance))
    return found


def _is_type(aspect: str) -> bool:
    return aspect.startswith("over ") and aspect.count(" ") == 1


def _of_type(scripts: Mapping[str, LibraryScript], kind: str, chance: Chance) -> Iterator[tuple[str, Varied]]:
    made = ((path, retyped(script, kind, chance)) for path, script in scripts.items())
    for path, one in islice(((path, one) for path, one in made if one is not None), _RETYPED):
        yield f"{path} with {kind}", Varied(*one)


def _of_script(script: LibraryScript, left: dict[str, int], surface: Surface) -> dict[int, list[Statement]]:
    """Variants by the position of what they were made from, one a dimension and script."""
    slicer = Slicer(script)
    found: dict[int, list[Statement]] = {}
    queries = list(_queries(script, slicer))[:_QUERIES]
    for dimension, count in left.items():
        if not count:
            continue
        arities = _arities(surface, dimension)
        for at in queries:
            sql = next(variants(script.statements[at].sql, dimension, arities), None)
            if sql is not None:
                made = read_script(f"{sql};\n").statements
                if len(made) == 1:
                    found.setdefault(at, []).append(made[0])
                    left[dimension] -= 1
                    break
    return found


def _queries(script: LibraryScript, slicer: Slicer) -> Iterator[int]:
    """Queries that stand on what their script makes, the short ones that mean one thing first."""
    usable = [
        at
        for at, one in enumerate(script.statements)
        if one.plain
        and len(one.sql) <= _LONGEST
        and one.tokens[0].lower() in {"select", "with"}
        and not is_unstable(one.sql)
        and slicer.runnable(at)
    ]
    yield from sorted(usable, key=lambda at: (len(slicer.needs(at)), len(script.statements[at].sql), at))


def _arities(surface: Surface, dimension: str) -> Sequence[int]:
    function = surface.functions.get(dimension.removeprefix("call "))
    return sorted({len(one.arguments) for one in function.overloads}) if function else ()


def _with(script: LibraryScript, made: Mapping[int, Sequence[Statement]]) -> Varied:
    statements: list[Statement] = []
    positions = set()
    for at, one in enumerate(script.statements):
        statements.append(one)
        for other in made.get(at, ()):
            positions.add(len(statements))
            statements.append(other)
    return Varied(replace(script, statements=tuple(statements)), frozenset(positions))
