"""JUnit XML: a test suite a script, a test case a command."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

from workers.bvt.compare import VerdictKind
from workers.bvt.results import CommandResult, ScriptResult, shortened

#: What XML 1.0 cannot hold, and lone surrogates.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class JUnit:
    """Collects the elements of each script and writes the document at the end."""

    def __init__(self, out: TextIO, *, owned: bool = False) -> None:
        """``owned``: ``out`` is a file of ours, closed at the end."""
        self._out = out
        self._owned = owned
        self._cases: dict[str, list[str]] = {}
        self._suites: dict[str, str] = {}

    def command(self, result: CommandResult) -> None:
        """Keep one test case."""
        self._cases.setdefault(result.path, []).append(_case(result))

    def script(self, result: ScriptResult) -> None:
        """Put one test suite together."""
        counts = (
            f'tests="{result.total}" failures="{result.count(VerdictKind.FAILED)}" '
            f'errors="{result.count(VerdictKind.ABNORMAL)}" skipped="{result.count(VerdictKind.IGNORED)}"'
        )
        notes = f"<system-err>{_text(chr(10).join(result.notes))}</system-err>" if result.notes else ""
        body = "".join(self._cases.pop(result.path, []))
        head = f'<testsuite name={_attribute(result.path)} {counts} time="{result.seconds:.3f}">'
        self._suites[result.path] = f"{head}{body}{notes}</testsuite>\n"

    def close(self, scripts: Sequence[ScriptResult]) -> None:
        """Write the document."""
        self._out.write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bvt">\n')
        for script in scripts:
            self._out.write(self._suites.get(script.path, "") if script.ended else _cut_short(script))
        self._out.write("</testsuites>\n")
        self._out.flush()
        if self._owned:
            self._out.close()


def _cut_short(script: ScriptResult) -> str:
    """A script that did not run to its end: without an error it would be read as one that passed."""
    name = _attribute(script.path)
    head = f'<testsuite name={name} tests="1" failures="0" errors="1" skipped="0">'
    return f'{head}<testcase classname={name} name="the run"><error message="it did not end"/></testcase></testsuite>\n'


def _case(result: CommandResult) -> str:
    name = f"line {result.line}: {shortened(' '.join(result.sql.split()), 120)}"
    head = f'<testcase classname={_attribute(result.path)} name={_attribute(name)} time="{result.seconds:.6f}"'
    if result.verdict is VerdictKind.PASS:
        note = "\n".join(result.findings or ())
        return f"{head}><system-out>{_text('strict: ' + note)}</system-out></testcase>" if note else f"{head}/>"
    if result.verdict is VerdictKind.IGNORED:
        return f"{head}><skipped message={_attribute(result.reason)}/></testcase>"
    tag = "failure" if result.verdict is VerdictKind.FAILED else "error"
    expected, actual = (shortened(text) or "(nothing)" for text in (result.expected, result.actual))
    body = f"{result.sql}\n--- expected\n{expected}\n--- actual\n{actual}"
    return f"{head}><{tag} message={_attribute(result.reason)}>{_text(body)}</{tag}></testcase>"


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("\ufffd", text))


def _attribute(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("\ufffd", text))
