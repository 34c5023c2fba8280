"""From inputs to drafts: what is likely, what it is worth, and the statements that cover most of it under a budget."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from orchestrator.cases.sql.syntax import read_tree
from orchestrator.cases.sql.tokens import joined
from orchestrator.generate.assemble import Frame, assemble, numbers_of
from orchestrator.generate.chance import Chance
from orchestrator.generate.choose import Choice, Chooser, Sources
from orchestrator.generate.draft import Draft, reads_back
from orchestrator.generate.evidence import Evidence, query_of, quoted_sql
from orchestrator.generate.expressions import Expression
from orchestrator.generate.inputs import Inputs
from orchestrator.generate.kits import KIT, kit
from orchestrator.generate.knobs import KNOBS, Knobs
from orchestrator.generate.library import LibraryScript, read_script
from orchestrator.generate.mutation import varied
from orchestrator.generate.packs import Packer
from orchestrator.generate.predict import predict, values
from orchestrator.generate.slices import Slicer
from orchestrator.generate.synthesis import calls, casts, catalogs, operations, table_calls, typed_calls, variables
from orchestrator.surface.model import Role

#: What may mean something else to the format than to SQL.
_ODD = (";", "--", "#", "//", "\\", "\n", "\t", "\r", '"', "@")


#: Calls that no query takes along by the way: they wait, act on the whole server, are about the run itself, or hold
#: code whose lines matter.
_LEFT_OUT = re.compile(
    r"(?i)\b(?:(?:sleep|benchmark|mo_ctl|sample|\w*fault_(?:point|injection)|mo_(?:cu|log_date|memory|cpu|table)\w*"
    r"|load_file|save_file|purge_log)\s*\((?!0\))|trace_\w+)|\$\$"
)
_LONGEST = 100
#: An error that a test expects begins as the statement does that it is about.
_SAYS = re.compile(
    r"(?i)\b(?:is(?!\s+(?:not\s+)?(?:null|true|false|unknown)\b)|are|must|cannot|can't|should|requires?|unsupported|failed"
    r"|expected|got|not\s+(?:supported|allowed|found))\s"
)
#: Among the first words of a name that a test has (``drop pitr - not there``), not of what computes nothing.
_PROSE, _HEAD = frozenset({"-", "/"}), 5
_DEFINES = frozenset({"create", "drop", "alter", "show", "data", "restore", "rename", "grant", "revoke"})
#: How far a seed moves what aspects are worth, and the length of expressions that exercise the same.
_SPREAD, _TEXTS = 0.25, 0.5
#: How likely a function in FROM must be to be called, and statements of unit tests that are looked at.
_LIKELY_CALL, _MOST_SAID = 0.15, 200


@dataclass(frozen=True, slots=True)
class Generation:
    """What was made for a change."""

    drafts: tuple[Draft, ...]
    evidence: Evidence
    values: dict[str, float]
    covered: frozenset[str]


class _Slicers(dict[str, Slicer]):
    """Slicers of scripts, made when first asked for."""

    def __init__(self, scripts: dict[str, LibraryScript]) -> None:
        super().__init__()
        self._scripts = scripts

    def __missing__(self, path: str) -> Slicer:
        self[path] = Slicer(self._scripts[path])
        return self[path]


def generate(inputs: Inputs, key: str, budget: int, knobs: Knobs = KNOBS, seed: int = 0) -> Generation:
    """Cases for a change: at most ``budget`` statements in all files together, set-up and clean-up included.

    Another ``seed`` takes other ways to what is likely: what promises about as much as the best may take its place,
    columns are declared in another way, and rows hold other values.
    """
    chance = Chance(seed)
    evidence = predict(inputs, knobs)
    worth = {one: much * chance.factor(one, _SPREAD) for one, much in values(evidence, inputs, knobs).items()}
    mutated = varied(inputs, evidence, worth, knobs.varied_least, chance)
    scripts = {**inputs.library.scripts, **kit(), **{path: one.script for path, one in mutated.items()}}
    scripts |= _written(inputs, evidence)
    positions = {path: one.positions for path, one in mutated.items()}
    packer = Packer(
        _pool(inputs, evidence, [*inputs.library.scripts.values(), *kit().values()], chance),
        worth,
        inputs.surface,
        knobs.least_expression,
    )
    choice = Chooser(Sources(scripts, _Slicers(scripts), positions, chance), packer, worth, knobs).choose(budget)
    lines = (line for one in inputs.changes if one.path.endswith(".go") for line in one.added)
    frame = Frame(key, category_of(inputs, choice), evidence.why, numbers_of(lines, seed), worth, chance)
    drafts = assemble(choice, scripts, frame)
    return Generation(tuple(drafts), evidence, worth, frozenset(choice.covered))


def _written(inputs: Inputs, evidence: Evidence) -> dict[str, LibraryScript]:
    """Statements that no case holds: over functions in FROM, and what unit tests of the change say."""
    in_from = [
        sql.format()
        for name, one in inputs.surface.functions.items()
        if one.role is Role.TABLE and evidence.odds.get(f"call {name}", 0.0) > _LIKELY_CALL
        for sql in (() if inputs.library.arguments(name) else table_calls(name))
    ]
    heads = {one.words[:2] for one in inputs.surface.statements}
    tests = [sql for one in inputs.changes if one.path.endswith("_test.go") for sql in quoted_sql(one)]
    said = [joined(sql) for sql in tests if _is_sql(sql, heads)]
    made = {f"{KIT}functions in from": in_from, "unit tests": list(dict.fromkeys(said))[:_MOST_SAID]}
    return {
        name: read_script("".join(f"{sql};\n" for sql in statements if reads_back(sql)))
        for name, statements in made.items()
        if statements
    }


def _is_sql(tokens: Sequence[str], heads: Collection[tuple[str, ...]]) -> bool:
    """Whether a text of a unit test is a statement: our dialect reads it, or it begins as one of the grammar does."""
    begun = tuple(word.lower().removesuffix("(").strip() for word in tokens[:2])
    if _SAYS.search(" ".join(tokens)) or "%" in tokens:
        return False
    if begun[0] in _DEFINES and _PROSE.intersection(tokens[:_HEAD]):
        return False
    return read_tree(tuple(tokens)) is not None or begun in heads


def category_of(inputs: Inputs, choice: Choice) -> str:
    """The folder for the new files: the one that most of what is near lies in."""
    near = inputs.library.near(query_of(inputs.title, inputs.changes, inputs.targets), 10)
    votes: Counter[str] = Counter()
    for score, path in near:
        votes[path.rpartition("/")[0]] += round(score * 1000)
    for path, positions in choice.slices.items():
        if "/" in path and not path.startswith(KIT):
            votes[path.rpartition("/")[0]] += len(positions)
    best = sorted(votes.items(), key=lambda one: (-one[1], one[0]))
    return best[0][0] if best and best[0][0] else "function"


def _pool(inputs: Inputs, evidence: Evidence, scripts: Iterable[LibraryScript], chance: Chance) -> list[Expression]:
    """Every expression that could be packed: of each set of aspects the simplest, written ones first."""
    pool: dict[tuple[str, ...], Expression] = {}
    theirs = {f"call {name}" for name in inputs.library.functions - inputs.surface.functions.keys()}
    for script in scripts:
        for one in script.expressions:
            if _LEFT_OUT.search(one.text) or len(one.text) > _LONGEST or not _plain(one.text):
                continue
            if not theirs.isdisjoint(one.aspects):
                continue  # a function that its script makes
            other = pool.get(one.aspects)
            if other is None or _simplicity(one, chance) < _simplicity(other, chance):
                pool[one.aspects] = one
    for one in _made(inputs, evidence):
        if not _LEFT_OUT.search(one.text):
            pool.setdefault(one.aspects, one)
    return list(pool.values())


def _plain(text: str) -> bool:
    """Whether the format reads an expression back; only odd characters can keep it from that."""
    return not any(mark in text for mark in _ODD) or reads_back(f"select {text}")


def _simplicity(one: Expression, chance: Chance) -> tuple[int, float, str]:
    return (len(one.columns), len(one.text) * chance.factor(one.text, _TEXTS), one.text)


def _made(inputs: Inputs, evidence: Evidence) -> Iterable[Expression]:
    functions, odds = inputs.surface.functions, evidence.odds
    yield from casts()
    yield from operations()
    yield from variables(name for name in inputs.surface.variables if odds.get(f"variable {name}", 0.0) > 0.05)
    yield from catalogs(
        one.removeprefix("catalog ") for one, likely in odds.items() if one.startswith("catalog ") and likely > 0.03
    )
    for aspect, likely in odds.items():
        name = aspect.removeprefix("call ")
        if likely <= 0.15 or name not in functions or name == aspect or functions[name].role is Role.TABLE:
            continue
        declared = any(one.arguments for one in functions[name].overloads)
        if declared or not (inputs.library.arguments(name) or inputs.library.covers(f"call {name}")):
            yield from calls(functions[name], name)
        yield from (one for one in typed_calls(functions[name], name) if one.aspects[-1] in odds)
