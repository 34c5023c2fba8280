"""One JSON object a command, a line each, written as it happens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TextIO

from workers.bvt.compare import VerdictKind
from workers.bvt.results import CommandResult, ScriptResult, shortened, success_rate, unfinished

_encode = json.JSONEncoder(ensure_ascii=False).encode


class JsonLines:
    """Keys: path, line, verdict, strict, seconds; where it did not simply pass also what a reader needs to see why."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def command(self, result: CommandResult) -> None:
        """Write one line, at once."""
        self._out.write(_encode(row_of(result)) + "\n")
        self._out.flush()

    def script(self, result: ScriptResult) -> None:
        """Scripts have no lines of their own."""

    def close(self, scripts: Sequence[ScriptResult]) -> None:
        """All is written."""
        self._out.flush()


def row_of(result: CommandResult) -> dict[str, object]:
    """``result`` as the object that is written; texts are capped."""
    row: dict[str, object] = {
        "path": result.path,
        "line": result.line,
        "verdict": result.verdict.value,
        "strict": result.strict,
        "seconds": round(result.seconds, 6),
    }
    if result.verdict is not VerdictKind.PASS or result.findings:
        row["sql"] = shortened(result.sql)
        row["expected"] = shortened(result.expected)
        row["actual"] = shortened(result.actual)
        row["reason"] = shortened(result.reason)
    if result.findings:
        row["findings"] = list(result.findings)
    return row


class JsonDocument:
    """The same objects as one document at the end: scripts, commands, success_rate (null where some did not end)."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._rows: list[dict[str, object]] = []

    def command(self, result: CommandResult) -> None:
        """Keep one row."""
        self._rows.append(row_of(result))

    def script(self, result: ScriptResult) -> None:
        """Scripts are written at the end."""

    def close(self, scripts: Sequence[ScriptResult]) -> None:
        """Write the document."""
        document = {
            "success_rate": None if unfinished(scripts) else success_rate(scripts),
            "scripts": [_script(script) for script in scripts],
            "commands": self._rows,
        }
        json.dump(document, self._out, ensure_ascii=False)
        self._out.write("\n")
        self._out.flush()


def _script(script: ScriptResult) -> dict[str, object]:
    counts = {kind.value.lower(): script.count(kind) for kind in VerdictKind}
    return {
        "path": script.path,
        "seconds": round(script.seconds, 6),
        "total": script.total,
        "skipped": script.skipped,
        "ended": script.ended,
        **counts,
        "strict_only": script.strict_only,
        "notes": script.notes,
    }
