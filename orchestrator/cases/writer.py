"""Scripts and result files written back: what is written parses to what was given.

Comments are not part of a `Script` and not written; commands keep their line numbers where there is room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.cases.directives import DEFAULT_SESSION, Session
from orchestrator.cases.expectation import Expectation, MismatchError, split_expectations
from orchestrator.cases.script import Command, Script, parse_script
from orchestrator.domain.errors import BadCaseError


def write_script(script: Script) -> str:
    """The text of ``script``. Raises BadCaseError where its commands cannot be written so that they parse again.

    Directives that could not be read (`Script.problems`) are left out.
    """
    page = _Page()
    for command in script.commands:
        page.add(command)
    if script.doc_metacmp is not None:
        page.lines.append(f"--- @metacmp({str(script.doc_metacmp).lower()})")
    if script.skipped:
        page.lines.append("-- @skip:issue#")
    text = "".join(f"{line}\n" for line in page.lines)
    again = parse_script(text, script.path, ignore_issues=True)
    _check(script, again)
    return text


def write_expectations(script: Script, expectations: Sequence[Expectation]) -> str:
    """The text of the result file. Raises BadCaseError where it would not be cut apart the same way again.

    That is so when a result holds the text of the next command, which mo-tester then takes for it.
    """
    blocks = []
    for command, expectation in zip(script.commands, expectations, strict=True):
        blocks.append(command.sql)
        if expectation.text is not None:
            blocks.append(expectation.text)
    text = "".join(f"{block}\n" for block in blocks)
    wanted = [expectation.text for expectation in expectations]
    try:
        again = [expectation.text for expectation in split_expectations(script, text)]
    except MismatchError as error:
        raise BadCaseError(f"{script.path}: the result file cannot be written: {error.message}") from error
    for command, given, found in zip(script.commands, wanted, again, strict=True):
        if given != found:
            raise BadCaseError(
                f"{script.path}:{command.line}: the result cannot be written, as mo-tester would read another one back",
                "The result holds the text of the next command, or is empty text: change the command's wording.",
            )
    return text


def _check(script: Script, again: Script) -> None:
    wanted = [_without_lines(command) for command in script.commands]
    found = [_without_lines(command) for command in again.commands]
    if wanted == found and not again.problems:
        return
    pairs = zip(script.commands, wanted, found, strict=False)
    wrong = next((command for command, left, right in pairs if left != right), script.commands[-1])
    raise BadCaseError(
        f"{script.path}: the command {wrong.sql[:120]!r} does not parse back as it is",
        "A command ends where its first complete line does, and has no blank, comment or indented lines.",
    )


def _without_lines(command: Command) -> tuple[object, ...]:
    return command.sql, *command[3:]


@dataclass(slots=True)
class _Page:
    """The lines so far and the state they leave a parser in."""

    lines: list[str] = field(default_factory=list)
    session: Session = DEFAULT_SESSION
    issue: str | None = None

    def add(self, command: Command) -> None:
        directives = [*self._state(command), *_directives(command)]
        gap = max(command.first_line - 1 - len(self.lines), 0)
        first, *rest = command.sql.split("\n")
        inside = max(command.line - command.first_line - len(rest), 0) if rest else 0
        before = directives if not rest else directives[: max(gap, len(directives) - inside)]
        within = directives[len(before) :]
        self.lines += [*before, *[""] * (gap - len(before)), first]
        if rest:
            self.lines += [*within, *[""] * (inside - len(within)), *rest]

    def _state(self, command: Command) -> list[str]:
        """Session and issue lines, where they change."""
        found = []
        issue = (command.issue or "") if command.ignore else None
        if issue != self.issue:
            found.append("-- @bvt:issue" if issue is None else f"-- @bvt:issue#{issue}")
        session = (command.connection, command.user, command.password)
        if session == DEFAULT_SESSION != self.session:
            found.append("-- @session}")
        elif session != self.session:
            user, password = (command.user or "", command.password or "")
            found.append(f"-- @session:id={command.connection}&user={user}&password={password}{{")
        self.session, self.issue = session, issue
        return found


def _directives(command: Command) -> list[str]:
    """The lines for one command alone."""
    found = [f"-- @system {line}" for line in command.system]
    found += [f'-- @regex("{regex.pattern}",{str(regex.include).lower()})' for regex in command.regexes]
    if command.sleep:
        found.append(f"-- @sleep:{command.sleep}")
    if command.pattern:
        found.append("-- @pattern")
    if command.ignore_columns:
        found.append(f"-- @ignore:{','.join(map(str, command.ignore_columns))}")
    if command.sortkeys:
        found.append(f"-- @sortkey:{','.join(map(str, command.sortkeys))}")
    if command.separator != "both":
        found.append(f"-- @separator:{command.separator}")
    if command.wait:
        found.append(f"-- @wait:{command.wait.connection}:{command.wait.operation}")
    if command.metacmp is not None:
        found.append(f"-- @metacmp({str(command.metacmp).lower()})")
    if command.wait_expect:
        found.append(f"-- @wait_expect({command.wait_expect.interval},{command.wait_expect.timeout})")
    return found
