"""Method genrs: what the server answers, written as the result file of a script."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from orchestrator.cases.javatext import trim
from orchestrator.cases.script import Command, Script
from orchestrator.domain.errors import BadCaseError
from workers.bvt.compare import VerdictKind
from workers.bvt.execute import AbnormalError, Executor, StopScriptError, actual_text
from workers.bvt.results import CommandResult


def record_script(executor: Executor, script: Script, target: Path, tell: Callable[[CommandResult], None]) -> bool:
    """Execute ``script`` and write ``target``, whole or not at all; whether it was written.

    A command without an answer records its reason; a script that was stopped records nothing. As in mo-tester a skipped
    script is recorded too, and an ignored command leaves a placeholder. Regex lines go below their command also where
    there is no result set (mo-tester glues the first to it, which then cannot be read back).
    """
    executor.begin(script)
    pieces: list[str] = []
    stopped = ""
    for command in script.commands:
        started = time.monotonic()
        verdict, reason, answer = VerdictKind.PASS, "", None
        try:
            if stopped:
                raise AbnormalError(stopped)
            if executor.prepare(command):
                if command.wait_expect is not None:
                    executor.pause(command.wait_expect.timeout)
                answer = actual_text(executor.answer(command))
            else:
                verdict = VerdictKind.IGNORED
                answer = f"[unknown result because it is related to issue#{command.issue}]"
        except StopScriptError as error:
            stopped = f"the script was stopped at line {command.line}: {error}"
            verdict, reason = VerdictKind.ABNORMAL, stopped
        except AbnormalError as error:
            verdict, reason = VerdictKind.ABNORMAL, str(error)
            answer = f"[no result: {error}]"
        pieces.append(_entry(command, answer))
        tell(
            CommandResult(
                script.path, command.line, command.sql, verdict, time.monotonic() - started, reason, actual=answer
            )
        )
    if not stopped:
        _write(target, "\n".join(pieces) + "\n")
    return not stopped


def _entry(command: Command, answer: str | None) -> str:
    """One command with its answer. A statement without a result set leaves nothing but itself."""
    regexes = [f'-- @regex("{regex.pattern}", {str(regex.include).lower()})' for regex in command.regexes]
    return "\n".join([trim(command.sql), *regexes, *([] if answer is None else [answer])])


def _write(target: Path, text: str) -> None:
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8", errors="replace", newline="")
        partial.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):  # why it could not be written is what counts
            partial.unlink()
        raise BadCaseError(
            f"{target} cannot be written: {error.strerror}", "Name another directory with --out."
        ) from error
