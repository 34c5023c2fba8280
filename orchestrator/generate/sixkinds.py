"""The coverage report of the six kinds of test: covered, needs attention or not related, each with its reason.

Rules and a model count alike, and neither can talk the other's worry away: the more careful of two states stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from orchestrator.generate.draft import Draft
from orchestrator.generate.inputs import Inputs

State = Literal["covered", "needs attention", "not related"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """One kind of test and what the change asks of it."""

    kind: str
    state: State
    reason: str


#: Kind: words in the paths of a change that ask for it, and what a covering case says.
_ASKED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "stability": (("hashjoin", "hashbuild", "/group/", "aggexec", "shuffle", "spill", "lockservice", "pkg/txn/"), ()),
    "chaos": (
        ("logservice", "hakeeper", "tnservice", "dnservice", "pkg/lockservice", "pkg/txn/", "/tae/", "cnservice"),
        (),
    ),
    "big data": (("external", "parquet", "load", "objectio", "fileservice", "spill", "mergesort", "/s3"), ()),
    "PITR": (("pitr",), ("pitr",)),
    "snapshot": (("snapshot", "clone", "data_branch", "restore"), ("snapshot", "restore", "clone", "branch")),
}


#: The names of the kinds, in the order of the report.
KINDS: Final = ("BVT", *_ASKED)
_CARE: Final[dict[State, int]] = {"not related": 0, "covered": 1, "needs attention": 2}


def six_kinds(inputs: Inputs, drafts: Sequence[Draft], opinions: Sequence[Coverage] = ()) -> list[Coverage]:
    """What rules say of each kind, and what others (a model) say, as one."""
    said = {one.kind: one for one in opinions}
    return [_both(one, said[one.kind]) if one.kind in said else one for one in _rules(inputs, drafts)]


def _both(rules: Coverage, other: Coverage) -> Coverage:
    state = max(rules.state, other.state, key=_CARE.__getitem__)
    return Coverage(rules.kind, state, f"rules, {rules.state}: {rules.reason}; model, {other.state}: {other.reason}")


def _rules(inputs: Inputs, drafts: Sequence[Draft]) -> list[Coverage]:
    code = [
        one.path for one in inputs.changes if one.path.endswith((".go", ".y")) and not one.path.endswith("_test.go")
    ]
    written = " ".join(one.sql.lower() for draft in drafts for one in draft.statements)
    found = [_bvt(code, drafts)]
    for kind, (asks, says) in _ASKED.items():
        hit = next((path for path in code if any(word in path.lower() for word in asks)), None)
        if hit is None:
            found.append(Coverage(kind, "not related", "no changed file belongs to it"))
        elif says and any(word in written for word in says):
            found.append(Coverage(kind, "covered", f"{hit} changes it, and new cases exercise it"))
        else:
            found.append(Coverage(kind, "needs attention", f"{hit} changes what it tests"))
    return found


def _bvt(code: Sequence[str], drafts: Sequence[Draft]) -> Coverage:
    if not code:
        return Coverage("BVT", "not related", "no production code changes")
    if drafts:
        return Coverage("BVT", "covered", f"{len(drafts)} new files")
    return Coverage("BVT", "needs attention", "production code changes, and no new case came of it")
