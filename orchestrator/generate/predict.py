"""How likely the missing cases of a change exercise an aspect, from evidence that stands on its own legs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from orchestrator.cases.sql.words import KEYWORDS
from orchestrator.generate.aspects import SCENERY, aspects
from orchestrator.generate.clauses import NAMED as NAMED_CLAUSES
from orchestrator.generate.clauses import PAIRS as CLAUSE_PAIRS
from orchestrator.generate.clauses import WORDS as CLAUSE_WORDS
from orchestrator.generate.columns import TRIED, is_known
from orchestrator.generate.evidence import WORD, Evidence, query_of, quoted_sql
from orchestrator.generate.history import traits
from orchestrator.generate.inputs import Inputs
from orchestrator.generate.knobs import Knobs
from orchestrator.generate.synthesis import calls, made, table_calls, typed_calls
from orchestrator.generate.typewords import typed
from orchestrator.surface.model import Kind, Role, Surface, Target
from orchestrator.surface.targets import changed_text


def predict(inputs: Inputs, knobs: Knobs) -> Evidence:
    """Collect the evidence."""
    evidence = Evidence()
    _from_history(evidence, inputs, knobs)
    _from_scripts(evidence, inputs, knobs)
    _from_quotes(evidence, inputs, knobs)
    _from_targets(evidence, inputs, knobs)
    _from_execution(evidence, inputs, knobs)
    _from_words(evidence, inputs, knobs)
    _from_types(evidence, inputs, knobs)
    _arguments(evidence, inputs, knobs)
    return evidence


def values(evidence: Evidence, inputs: Inputs, knobs: Knobs) -> dict[str, float]:
    """What covering an aspect is worth: its likelihood, times its rarity, more when everyday changes do not have it."""
    found = {}
    for aspect, likely in evidence.odds.items():
        if aspect.startswith("over "):
            found[aspect] = likely * (knobs.over if aspect.count(" ") == 1 else knobs.called_over)
            continue
        worth = likely**knobs.sharp * inputs.library.rarity(aspect)
        if aspect.startswith("call ") and aspect.count(" ") >= 3:
            worth *= 0.5
        elif aspect.startswith(("pair ", "word ")):
            worth *= knobs.word
        if inputs.past.is_special(aspect):
            worth *= knobs.special
        found[aspect] = worth
    return found


def _from_history(evidence: Evidence, inputs: Inputs, knobs: Knobs) -> None:
    past = inputs.past
    total = max(1, len(past.changes))
    for aspect, count in sorted(past.aspect_frequency.items()):
        evidence.add(aspect, min(0.9, knobs.prior * count / total), "common in past changes")
    near = past.near(traits(inputs.title, (one.path for one in inputs.changes)), knobs.past_n)
    weights = [score**knobs.past_power for score, _ in near]
    norm = sum(weights) + knobs.past_floor
    share: dict[str, float] = defaultdict(float)
    for weight, (_, change) in zip(weights, near, strict=True):
        for aspect in change.aspects:
            share[aspect] += weight / norm
    for aspect, value in sorted(share.items()):
        evidence.add(aspect, min(0.95, knobs.past * value), "past changes of the same code exercise it")


def _from_scripts(evidence: Evidence, inputs: Inputs, knobs: Knobs) -> None:
    library = inputs.library
    near = library.near(query_of(inputs.title, inputs.changes, inputs.targets), knobs.scripts_n)
    norm = sum(score**knobs.scripts_power for score, _ in near)
    share: dict[str, float] = defaultdict(float)
    for score, path in near:
        for aspect in library.scripts[path].aspects:
            share[aspect] += score**knobs.scripts_power / norm
    for aspect, value in sorted(share.items()):
        evidence.add(aspect, min(0.9, knobs.scripts * value), "the nearest cases exercise it")


def _from_quotes(evidence: Evidence, inputs: Inputs, knobs: Knobs) -> None:
    times: dict[str, int] = defaultdict(int)
    for change in inputs.changes:
        for sql in quoted_sql(change):
            for aspect in aspects(sql):
                times[aspect] += 1
    for aspect, count in times.items():
        evidence.add(aspect, knobs.quoted * (1 - 0.5**count), "a unit test of the change says it")


def _from_targets(evidence: Evidence, inputs: Inputs, knobs: Knobs) -> None:
    functions = [one for one in inputs.targets if one.kind is Kind.FUNCTION and one.distance == 0]
    crowd = min(1.0, knobs.crowd / max(1, len(functions)))
    for target in inputs.targets:
        likely = knobs.target * knobs.hop**target.distance
        if target.kind is Kind.FUNCTION:
            likely *= crowd
        for aspect, share in _meant(target, inputs.surface):
            evidence.add(aspect, likely * share, target.why)
        function = inputs.surface.functions.get(target.name) if target.kind is Kind.FUNCTION else None
        for call in typed_calls(function, target.name) if function and not target.distance else ():
            evidence.raise_to(call.aspects[-1], likely, target.why)


def _meant(target: Target, surface: Surface) -> Iterator[tuple[str, float]]:
    """The aspects that a target is reached by, with the share of its likelihood."""
    if target.kind is Kind.FUNCTION:
        function = surface.functions.get(target.name)
        for name in function.names if function else (target.name,):
            yield f"call {name}", 1.0 if name == target.name else 0.33
            yield f"operator {name}", 1.0
    elif target.kind is Kind.VARIABLE:
        yield f"variable {target.name}", 1.0
    elif target.kind is Kind.KEYWORD:
        yield f"word {target.name}", 0.5
    elif target.kind in {Kind.STATEMENT, Kind.OPERATOR}:
        words = target.name.split()
        for size in range(1, 5):
            yield f"statement {' '.join(words[:size])}", 0.5
        yield f"operator {target.name}", 0.7
        yield f"clause {target.name}", 0.7
        for first, second in pairwise(words):
            yield f"pair {first} {second}", 0.5


#: How execution is looked at, and how often it is beside the first.
_LOOKS = (("statement explain analyze", 1.0), ("statement explain phyplan", 0.7))


def _from_execution(evidence: Evidence, inputs: Inputs, knobs: Knobs) -> None:
    """A change of how plans are executed is seen in what tells of execution, whatever query is executed."""
    executors = inputs.surface.executors
    code = [one.path for one in inputs.changes if one.path.endswith(".go") and not one.path.endswith("_test.go")]
    touched = [path for path in code if path.startswith(executors)] if executors else []
    if touched:
        share = knobs.executed * min(1.0, 2 * len(touched) / len(code))
        for aspect, often in _LOOKS:
            evidence.add(aspect, share * often, f"{touched[0].rpartition('/')[2]} executes plans")


def _from_words(evidence: Evidence, inputs: Inputs, knobs: Knobs) -> None:
    """Functions, keywords and variables that the title or the changed lines say."""
    titled = [word.lower() for word in _SAID.findall(inputs.title)]
    lines: dict[str, int] = defaultdict(int)
    for change in inputs.changes:
        for word in WORD.findall(changed_text(change)):
            lines[word.lower()] += 1
    for word in dict.fromkeys(titled):
        _say(evidence, word, knobs.titled, inputs, "the title says it")
    _phrases(evidence, inputs, {*titled}, knobs)
    for word, count in lines.items():
        _say(evidence, word, knobs.said * (1 - 0.6**count), inputs, "the changed lines say it")


def _from_types(evidence: Evidence, inputs: Inputs, knobs: Knobs) -> None:
    """Columns of and casts to the types that the title says."""
    likely, why = knobs.titled_type, "the title says it"
    for kind in dict.fromkeys(typed(_SAID.findall(inputs.title))):
        if is_known(kind):
            evidence.add(f"over {kind}", likely, why)
        for aspect, share in inputs.library.typed(kind).items():
            evidence.add(aspect, likely * min(1.0, 2 * share) * (1.0 if aspect.startswith("type ") else 0.5), why)


_SAID = re.compile(r"[A-Za-z_][A-Za-z0-9_]+")
_CLAUSES = tuple(sorted(f"clause {one}" for one in (*map(" ".join, CLAUSE_PAIRS), *NAMED_CLAUSES)))
#: Words that many statements have in common.
_FILLING = frozenset(
    {"values", "select", "table", "if", "exists", "on", "from", "to", "for", "into", "by", "or", "with"}
)


def _phrases(evidence: Evidence, inputs: Inputs, titled: set[str], knobs: Knobs) -> None:
    """Statements and clauses of several words, when the title says all of them."""
    said = {one.rstrip("s") for one in titled}
    for aspect in dict.fromkeys((*inputs.library.phrases, *_CLAUSES)):
        words = {one.rstrip("s") for one in aspect.split(" ")[1:]} - _FILLING
        if words and words <= said:
            evidence.add(aspect, knobs.titled, "the title says it")


def _say(evidence: Evidence, word: str, likely: float, inputs: Inputs, why: str) -> None:
    surface = inputs.surface
    if word in surface.variables:
        evidence.add(f"variable {word}", likely, why)
    called = "_" in word and inputs.library.covers(f"call {word}")  # table functions are in no registry
    if (word in surface.functions or called) and word not in SCENERY:
        evidence.add(f"call {word}", likely, why)
    if word in KEYWORDS and word not in SCENERY:
        evidence.add(f"word {word}", likely / 2, why)
        if word in CLAUSE_WORDS:
            evidence.add(f"clause {word}", likely, why)


def _arguments(evidence: Evidence, inputs: Inputs, knobs: Knobs) -> None:
    """What stands in the arguments of likely functions: as in the tree's cases; for a new one as its overloads say."""
    for aspect, likely in list(evidence.odds.items()):
        name = aspect.removeprefix("call ")
        if likely < 0.05 or name == aspect or " " in name:
            continue
        known = inputs.library.arguments(name)
        for one, share in known.items():
            evidence.add(one, min(0.95, knobs.known * likely * share), evidence.why[aspect])
        function = inputs.surface.functions.get(name)
        if function is None or sum(known.values()) >= 3:
            continue
        called = map(made, table_calls(name)) if function.role is Role.TABLE else calls(function, name)
        for call in called:
            for one in call.aspects:
                if one.startswith(f"{aspect} "):
                    often = TRIED.get(one.rpartition(" ")[2], 0.15)
                    evidence.raise_to(one, likely * often * knobs.tried, evidence.why[aspect])
