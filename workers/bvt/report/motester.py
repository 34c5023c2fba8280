"""report.txt, error.txt and success.txt, letter by letter as mo-tester writes them, misspellings included."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchestrator.cases.expectation import read_expectation, render_set
from orchestrator.domain.errors import BadCaseError
from workers.bvt.compare import VerdictKind
from workers.bvt.results import CommandResult, ScriptResult


class MoTesterReport:
    """Writes the three files into ``directory``, the long ones as results come."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        options = {"encoding": "utf-8", "errors": "replace", "newline": ""}
        self._errors = (directory / "error.txt").open("w", **options)  # type: ignore[call-overload]
        self._successes = (directory / "success.txt").open("w", **options)  # type: ignore[call-overload]

    def command(self, result: CommandResult) -> None:
        """Write one command to the file it belongs to; an ignored one to neither."""
        if result.verdict is VerdictKind.PASS:
            sql = result.sql.replace("\r", " ").replace("\n", " ")
            self._successes.write(f"[{result.path}]:{sql}\n")
        elif result.verdict is not VerdictKind.IGNORED:
            self._errors.write(error_text(result))

    def script(self, result: ScriptResult) -> None:
        """Counts are written at the end."""

    def close(self, scripts: Sequence[ScriptResult]) -> None:
        """Write report.txt."""
        self._errors.close()
        self._successes.close()
        ended = [script for script in scripts if script.ended]
        lines = [_summary(ended), *map(_script, ended)]
        (self._directory / "report.txt").write_text("".join(lines), encoding="utf-8", errors="replace")


def error_text(result: CommandResult) -> str:
    """The entry of error.txt; the expectation is read and written anew in full form, as mo-tester does."""
    return (
        f"[ERROR]\n[SCRIPT   FILE]: {result.path}\n[ROW    NUMBER]: {result.line}\n[SQL STATEMENT]: {result.sql}\n"
        f"[EXPECT RESULT]:\n{_expected(result)}\n[ACTUAL RESULT]:\n{_actual(result)}\n\n"
    )


def _expected(result: CommandResult) -> str:
    if result.expected is None:
        return "null"
    try:
        return render_set(read_expectation(result.expected, result.separator))
    except BadCaseError:
        return result.expected


def _actual(result: CommandResult) -> str:
    if result.verdict is VerdictKind.ABNORMAL and result.actual is None:
        return result.reason
    return "null" if result.actual is None else result.actual


def _counts(total: int, scripts: Sequence[ScriptResult], blank: str) -> str:
    passed, failed, ignored, abnormal = (
        sum(script.count(kind) for script in scripts)
        for kind in (VerdictKind.PASS, VerdictKind.FAILED, VerdictKind.IGNORED, VerdictKind.ABNORMAL)
    )
    ran = total - ignored
    rate = passed * 100 // ran if ran else 0
    return (
        f"TOTAL :{total}, SUCCESS :{blank}{passed}, FAILED :{failed}, IGNORED :{ignored}, ABNORAML :{abnormal}, "
        f"SUCCESS RATE : {rate}%\n"
    )


def _summary(scripts: Sequence[ScriptResult]) -> str:
    cost = sum(int(script.seconds) for script in scripts)
    return f"[SUMMARY] COST : {cost}s, {_counts(sum(script.total for script in scripts), scripts, ' ')}"


def _script(script: ScriptResult) -> str:
    return f"[{script.path}] COST : {round(script.seconds, 3)}s, {_counts(script.total, [script], '')}"
