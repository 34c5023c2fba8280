"""What the strict comparison finds where mo-tester's lets a command pass, by kind."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from workers.bvt.dsn import Dsn
from workers.bvt.execute import Options
from workers.bvt.results import CommandResult, ScriptResult
from workers.bvt.runner import Case, Runner

#: Kind → what its finding reads like; a command counts for the first that fits.
KINDS = {
    "rows in another order than the statement's": r"another order",
    "an error is expected and an empty set came": r"looks like an error",
    "another error, or another code": r"error code|SQLSTATE|there is (the )?error",
    "SQL NULL for a text, or the reverse": r"it is SQL NULL|expected 'null', ",
    "another number of columns or rows": r"expected \d+ (column|row)",
    "another label": r"to be called",
    "another type, precision or scale": r"column \d+ is expected to be .*\[",
    "another value": r"",
}


@dataclass
class Findings:
    """Commands that passed, and those of them that strict finds wrong."""

    passed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    told: TextIO | None = None

    def command(self, result: CommandResult) -> None:
        """Count it."""
        if result.verdict.value != "PASS":
            return
        self.passed += 1
        if result.findings:
            kind = kind_of(result.findings)
            self.kinds[kind] += 1
            print(f"{result.path}:{result.line}: {kind}: {result.findings[0][:160]}", file=self.told, flush=True)

    def script(self, result: ScriptResult) -> None:
        """Not needed."""

    def close(self, scripts: Sequence[ScriptResult]) -> None:
        """Not needed."""

    def __str__(self) -> str:
        lines = [f"{self.passed} commands pass, strict finds {sum(self.kinds.values())} of them wrong"]
        return "\n".join(lines + [f"{count:>7}  {kind}" for kind, count in self.kinds.most_common()])


def kind_of(findings: Sequence[str]) -> str:
    """The first kind that one of the findings is of."""
    return next(kind for kind, pattern in KINDS.items() if any(re.search(pattern, finding) for finding in findings))


def findings_of(dsn: Dsn, tree: Path, names: Iterable[str], told: TextIO, *, metadata: bool) -> Findings:
    """Run scripts (paths from the parent of ``tree``) with both comparisons."""
    found = Findings(told=told)
    resources = str(tree.parent / "resources")
    options = Options("both", metadata=metadata, ignore_issues=True, reset=True, resources=resources)
    with Runner(dsn, options, found, threading.Event()) as runner:
        for name in names:
            runner.run(Case(tree.parent / name, name, tree.parent))
    return found
