"""What was generated and why, what each gate dropped, what was found, and which kinds of test the change asks for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from orchestrator.generate.draft import Draft
from orchestrator.generate.gates import Dropped
from orchestrator.generate.generator import Generation
from orchestrator.generate.inputs import Inputs
from orchestrator.generate.sixkinds import Coverage
from orchestrator.generate.trial import Finding
from orchestrator.surface.model import Target

_MOST_REASONS = 12
#: Aspects whose coverage is told, and how likely they must be.
_MOST_ASPECTS, _LIKELY = 200, 0.2


class Covered(NamedTuple):
    """A likely aspect of a change, and who exercises it."""

    aspect: str
    #: From 0 to 1.
    likelihood: float
    why: str
    #: Whether cases of the tree do, and whether the new ones do.
    before: bool
    after: bool


@dataclass(slots=True)
class Report:
    """A generation as told to people and programs."""

    title: str
    budget: int
    seed: int
    drafts: Sequence[Draft] = ()
    dropped: Sequence[Dropped] = ()
    findings: Sequence[Finding] = ()
    verified: bool = False
    server: str = ""
    targets: Sequence[Target] = ()
    coverage: Sequence[Covered] = ()
    kinds: Sequence[Coverage] = ()
    warnings: list[str] = field(default_factory=list)

    def as_json(self) -> str:
        """One document; the same input gives the same bytes."""
        document = {
            "title": self.title,
            "budget": self.budget,
            "seed": self.seed,
            "statements": sum(len(one.statements) for one in self.drafts),
            "verified": self.verified,
            "server": self.server,
            "files": [
                {"path": one.path, "title": one.title, "source": one.source, "statements": len(one.statements)}
                for one in self.drafts
            ],
            "dropped": [{"path": one.path, "gate": one.gate, "reason": one.reason} for one in self.dropped],
            "findings": [{"path": one.path, "sql": one.sql, "what": one.what} for one in self.findings],
            "targets": [
                {"distance": one.distance, "kind": one.kind.value, "name": one.name, "why": one.why}
                for one in self.targets
            ],
            "coverage": [one._asdict() | {"likelihood": round(one.likelihood, 3)} for one in self.coverage],
            "tests": [{"kind": one.kind, "state": one.state, "reason": one.reason} for one in self.kinds],
            "warnings": self.warnings,
        }
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"

    def as_text(self) -> str:
        """For people."""
        statements = sum(len(one.statements) for one in self.drafts)
        state = "verified" if self.verified else "unverified: no server of the product itself judged them"
        lines = [f"{self.title}", f"{len(self.drafts)} files, {statements} of {self.budget} statements, {state}"]
        lines += [f"  {one.path}: {len(one.statements)} statements, {one.title}" for one in self.drafts]
        if self.targets:
            lines.append("what SQL reaches the change:")
            lines += [f"  {one.kind.value} {one.name} ({one.why})" for one in self.targets[:_MOST_REASONS]]
        missing = [one for one in self.coverage if one.after and not one.before]
        if missing:
            lines.append("new in the tree:")
            lines += [f"  {one.aspect}: {one.why}" for one in missing[:_MOST_REASONS]]
        if self.dropped:
            counts = Counter(one.gate for one in self.dropped)
            lines.append("dropped: " + ", ".join(f"{count} by {gate}" for gate, count in sorted(counts.items())))
            lines += [f"  {one.gate}: {one.path}: {one.reason}" for one in self.dropped[:_MOST_REASONS]]
        lines += [f"FINDING {one.path}: {one.what}\n  {one.sql}" for one in self.findings]
        lines.append("tests of the change:")
        lines += [f"  {one.kind}: {one.state} ({one.reason})" for one in self.kinds]
        lines += [f"note: {one}" for one in self.warnings]
        return "\n".join(lines) + "\n"


def coverage_of(inputs: Inputs, made: Generation, drafts: Sequence[Draft]) -> list[Covered]:
    """The likely aspects of a change, the likeliest first: covered before, and after."""
    tried = [one for draft in drafts for one in draft.statements if not one.cleanup]
    written = {aspect for one in tried for aspect in one.aspects}
    likely = sorted(made.evidence.odds.items(), key=lambda one: (-one[1], one[0]))
    return [
        Covered(aspect, odds, made.evidence.why[aspect], inputs.library.covers(aspect), aspect in written)
        for aspect, odds in likely[:_MOST_ASPECTS]
        if odds >= _LIKELY
    ]
