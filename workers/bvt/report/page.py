"""One HTML page a run, complete in itself: totals, scripts, and failures with expected and actual side by side."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from html import escape
from pathlib import Path

from workers.bvt.compare import VerdictKind
from workers.bvt.results import CommandResult, ScriptResult, outcome, shortened

#: Failures drawn in full a script, and lines a side; the text reports have them all.
_SHOWN_FAILURES = 200
_SHOWN_LINES = 200
_SHOWN_TEXT = 8000

_STYLE = """
body{font:14px/1.4 system-ui,sans-serif;margin:1.5em;color:#222}table{border-collapse:collapse}
td,th{padding:.15em .6em;text-align:left;vertical-align:top}td.n{text-align:right}
summary{cursor:pointer;padding:.2em 0}
pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;font:12px/1.35 ui-monospace,monospace}
.diff{width:100%;table-layout:fixed;border:1px solid #ddd;margin:.4em 0 1em}
.diff td{width:50%;border-left:1px solid #ddd}
.old{background:#fdecea}.new{background:#e7f6ea}.FAILED,.ABNORMAL{color:#b00020}.PASS{color:#8a6d00}.why{color:#555}
@media(prefers-color-scheme:dark){body{background:#1b1b1b;color:#ddd}.old{background:#4a2022}.new{background:#1f3d26}
.diff,.diff td{border-color:#444}.FAILED,.ABNORMAL{color:#ff7b7b}.PASS{color:#e0c060}.why{color:#aaa}}
"""


class Page:
    """Collects failures and writes ``path`` at the end."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._failures: dict[str, list[str]] = {}
        self._left_out: dict[str, int] = {}

    def command(self, result: CommandResult) -> None:
        """Draw a command that did not pass, or that only strict fails."""
        if result.verdict is VerdictKind.IGNORED or (result.verdict is VerdictKind.PASS and not result.findings):
            return
        drawn = self._failures.setdefault(result.path, [])
        if len(drawn) < _SHOWN_FAILURES:
            drawn.append(_failure(result))
        else:
            self._left_out[result.path] = self._left_out.get(result.path, 0) + 1

    def script(self, result: ScriptResult) -> None:
        """Scripts are listed at the end."""

    def close(self, scripts: Sequence[ScriptResult]) -> None:
        """Write the page."""
        with self._path.open("w", encoding="utf-8", errors="replace") as out:
            out.write('<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">')
            out.write(f"<title>SQL cases</title><style>{_STYLE}</style><h1>SQL cases</h1>")
            out.write(f"<p>{len(scripts)} scripts, {outcome(scripts)}</p>")
            out.write(_totals([script for script in scripts if script.ended]))
            for script in scripts:
                out.write(self._section(script))

    def _section(self, script: ScriptResult) -> str:
        drawn = self._failures.get(script.path, [])
        notes = "".join(f'<p class="why">{escape(note)}</p>' for note in script.notes)
        if not drawn and not notes:
            return ""
        left_out = self._left_out.get(script.path, 0)
        more = f"<p>… and {left_out} more: see error.txt</p>" if left_out else ""
        return f'<h2 id="{escape(script.path)}">{escape(script.path)}</h2>{notes}{"".join(drawn)}{more}'


def _totals(scripts: Sequence[ScriptResult]) -> str:
    kinds = list(VerdictKind)
    head = "".join(f"<th>{kind.value}</th>" for kind in kinds)
    rows = "".join(_row(script, kinds) for script in scripts)
    return f"<table><tr><th>script</th>{head}<th>strict only</th><th>seconds</th></tr>{rows}</table>"


def _row(script: ScriptResult, kinds: Sequence[VerdictKind]) -> str:
    cells = "".join(f'<td class="n">{script.count(kind) or ""}</td>' for kind in kinds)
    name = escape(script.path) + (" (skipped)" if script.skipped else "")
    link = f'<a href="#{escape(script.path)}">{name}</a>'
    tail = f'<td class="n">{script.strict_only or ""}</td><td class="n">{script.seconds:.2f}</td>'
    return f"<tr><td>{link}</td>{cells}{tail}</tr>"


def _failure(result: CommandResult) -> str:
    label = "STRICT" if result.verdict is VerdictKind.PASS else result.verdict.value
    whys = "".join(f'<div class="why">{escape(why)}</div>' for why in (result.reason, *(result.findings or ())) if why)
    sql = escape(shortened(result.sql, _SHOWN_TEXT) or "")
    return (
        f'<details open><summary><b class="{result.verdict.value}">{label}</b> line {result.line}</summary>'
        f"<pre>{sql}</pre>{whys}{_side_by_side(result.expected, result.actual)}</details>"
    )


def _side_by_side(expected: str | None, actual: str | None) -> str:
    left = (shortened(expected, _SHOWN_TEXT) or "").split("\n")[:_SHOWN_LINES]
    right = (shortened(actual, _SHOWN_TEXT) or "").split("\n")[:_SHOWN_LINES]
    rows = ["<tr><th>expected</th><th>actual</th></tr>"]
    for tag, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        rows += [_line(tag, old, new) for old, new in _paired(left[a:b], right[c:d])]
    return f'<table class="diff">{"".join(rows)}</table>'


def _paired(left: list[str], right: list[str]) -> list[tuple[str | None, str | None]]:
    size = max(len(left), len(right))
    return [(left[i] if i < len(left) else None, right[i] if i < len(right) else None) for i in range(size)]


def _line(tag: str, old: str | None, new: str | None) -> str:
    marks = ("", "") if tag == "equal" else (' class="old"', ' class="new"')
    cells = (
        f"<td{mark if text is not None else ''}><pre>{escape(text or '')}</pre></td>"
        for mark, text in zip(marks, (old, new), strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>"
