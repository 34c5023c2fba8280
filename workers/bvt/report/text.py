"""A run for a person at a terminal: a line a script, what failed, the total."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from orchestrator.domain.shown import printable
from workers.bvt.compare import VerdictKind
from workers.bvt.results import CommandResult, ScriptResult, outcome, shortened

#: Failures shown in full of one script; the rest are counted.
_SHOWN_FAILURES = 20
_SHOWN_TEXT = 1500


class Text:
    """Prints to ``out`` as it happens."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._failures: dict[str, int] = {}

    def _say(self, text: str) -> None:
        self._out.write(tamed(text))

    def command(self, result: CommandResult) -> None:
        """Print a command that did not pass, or that only strict fails."""
        passed = result.verdict in (VerdictKind.PASS, VerdictKind.IGNORED)
        if passed and not result.findings:
            return
        number = self._failures[result.path] = self._failures.get(result.path, 0) + 1
        if number > _SHOWN_FAILURES:
            return
        head = "STRICT" if passed else result.verdict.value
        self._say(f"{head} {result.path}:{result.line}: {shortened(result.sql, _SHOWN_TEXT)}\n")
        for why in filter(None, (result.reason, *(result.findings or ()))):
            self._say(f"  {why}\n")
        for name, text in (("expected", result.expected), ("actual", result.actual)):
            if result.verdict is VerdictKind.FAILED or passed:
                self._say(_block(name, text))

    def script(self, result: ScriptResult) -> None:
        """Print how a script ended."""
        for note in result.notes:
            self._say(f"NOTE {note}\n")
        hidden = self._failures.pop(result.path, 0) - _SHOWN_FAILURES
        if hidden > 0:
            self._say(f"  … and {hidden} more in {result.path}\n")
        state = "skipped" if result.skipped else _counts([result])
        self._say(f"{result.path}: {state} ({result.seconds:.2f} s)\n")
        self._out.flush()

    def close(self, scripts: Sequence[ScriptResult]) -> None:
        """Print the total."""
        self._say(f"{len(scripts)} scripts: {_counts(scripts)}; {outcome(scripts)}\n")
        self._out.flush()


def tamed(text: str) -> str:
    """What scripts and servers say, safe to show on a terminal: lines of it."""
    return printable(text, keep="\n\t")


def _counts(scripts: Sequence[ScriptResult]) -> str:
    words = [f"{sum(script.count(kind) for script in scripts)} {kind.value.lower()}" for kind in VerdictKind]
    strict = sum(script.strict_only for script in scripts)
    return ", ".join([*words, *([f"{strict} passed that strict fails"] if strict else [])])


def _block(name: str, text: str | None) -> str:
    lines = (shortened(text, _SHOWN_TEXT) or "(nothing)").split("\n")
    return f"  {name}:\n" + "".join(f"    {line}\n" for line in lines)
