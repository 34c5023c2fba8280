"""Scripts and expectations as JSON lines, for other programs.

The lines of scripts are put together from parts, as most commands share all but text and line number: several times as
fast as `json.dumps` of a dictionary each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from orchestrator.cases.expectation import Expectation, ResultSet, read_expectation
from orchestrator.cases.script import Command, Script
from orchestrator.domain.errors import BadCaseError

#: Results of more rows are told by their digest only.
_SHOWN_ROWS = 20


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=4096)
def _options_json(options: tuple[Any, ...]) -> str:
    """What `Command` holds after text and lines."""
    names = ("conn", "user", "password", "use_db", "ignore", "issue", "separator", "pattern", "sortkeys")
    *plain, columns, regexes, sleep, system, wait, metacmp, expect = options
    row = dict(zip(names, plain, strict=True)) | {
        "ignore_columns": columns,
        "regexes": [[regex.pattern, regex.include] for regex in regexes],
        "sleep": sleep,
        "system": system,
        "wait": wait is not None,
        "wait_conn": wait.connection if wait else 0,
        "wait_op": wait.operation if wait else "commit",
        "metacmp": metacmp,
        "wait_expect": expect is not None,
        "wait_expect_interval": expect.interval if expect else 1,
        "wait_expect_timeout": expect.timeout if expect else 20,
    }
    return _dumps(row)[1:]


def script_row(script: Script) -> str:
    """One script as a JSON object: its commands in order; ``error`` names the first directive that cannot be read."""
    commands = ",".join(
        [
            f'{{"sql":{encode_basestring(command.sql)},"line":{command.line},{_options_json(command[3:])}'
            for command in script.commands
        ]
    )
    head = {
        "path": script.path,
        "skipped": script.skipped,
        "use_db": script.use_db,
        "doc_metacmp": script.doc_metacmp,
        "n": len(script.commands),
    }
    error = _dumps("; ".join(map(str, script.problems)) or None)
    return f'{_dumps(head)[:-1]},"commands":[{commands}],"error":{error}}}'


def expectations_row(
    script: Script,
    result_file: str | None,
    expectations: Sequence[Expectation],
    *,
    message: str | None = None,
) -> str:
    """The expectations of one script as a JSON object; ``message`` says why they could not be had."""
    missing = Expectation(None)
    padded = [*expectations, *[missing] * (len(script.commands) - len(expectations))]
    rows, errors = [], list(map(str, script.problems))
    for command, expectation in zip(script.commands, padded, strict=True):
        try:
            rows.append(_expectation(command, expectation))
        except BadCaseError as error:
            rows.append({"line": command.line, "kind": "unreadable"})
            errors.append(f"{script.path}:{command.line}: {error.message}")
    return _dumps(
        {
            "path": script.path,
            "skipped": script.skipped,
            "ok": message is None,
            "message": message,
            "result_file": result_file,
            "n": len(script.commands),
            "commands": rows,
            "error": "; ".join(errors) or None,
        }
    )


def _expectation(command: Command, expectation: Expectation) -> dict[str, Any]:
    text = expectation.text
    if text is None:
        return {"line": command.line, "kind": "none"}
    result = read_expectation(text, command.separator)
    row: dict[str, Any] = {
        "line": command.line,
        "kind": "set",
        "full_meta": result.full_meta,
        "cols": [[column.label, column.type, column.precision, column.scale] for column in result.columns],
        "nrows": len(result.rows),
    }
    if len(result.rows) <= _SHOWN_ROWS:
        row["rows"] = result.rows
    return row | {
        "rows_sha256": _digest(_joined(result)),
        "new_rowsep": result.new_rowsep,
        "text_sha256": _digest(text),
        "text_len": len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2,
    }


def _joined(result: ResultSet) -> str:
    return "\x1e".join(["\x1f".join(cell or "" for cell in row) for row in result.rows])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
