"""A case script (``.sql`` or ``.test``): its commands, each with the directives that govern it.

The format is mo-tester's, bug for bug (matrixorigin/mo-tester at b95f5c0): where a rule looks odd it is the original's,
because every recorded expectation depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from orchestrator.cases.directives import DirectiveState, Regex, Wait, WaitExpect
from orchestrator.cases.javatext import TRIMMED, lines
from orchestrator.cases.quoting import scan_line

__all__ = ["Command", "Problem", "Regex", "Script", "Separator", "Wait", "WaitExpect", "parse_script"]

#: How the cells of a legacy result are told apart: ``both``, ``table`` (tab), ``space`` (four blanks), else not at all.
Separator = str

_COMMENTS = ("--", "#", "//")


class Command(NamedTuple):
    """One unit sent to the server: SQL text as the format joins it, and what the directives say about it.

    ``line`` is the 1-based number of its last line (the name every report uses), ``first_line`` of its first. ``user``
    and ``password`` are None for the default account. ``issue`` is set where ``ignore`` is. ``sleep`` in seconds.

    A named tuple, as a corpus holds a hundred thousand and a frozen dataclass takes six times as long to make.
    """

    sql: str
    line: int
    first_line: int
    connection: int = 0
    user: str | None = None
    password: str | None = None
    use_db: str = ""
    ignore: bool = False
    issue: str | None = None
    separator: Separator = "both"
    pattern: bool = False
    sortkeys: tuple[int, ...] = ()
    ignore_columns: tuple[int, ...] = ()
    regexes: tuple[Regex, ...] = ()
    sleep: int = 0
    system: tuple[str, ...] = ()
    wait: Wait | None = None
    metacmp: bool | None = None
    wait_expect: WaitExpect | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A directive that cannot be read. mo-tester dies there; here the directive is left out and parsing goes on."""

    path: str
    line: int
    directive: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.directive}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Script:
    """A parsed script. ``path`` is as the caller spelled it; ``use_db`` the database named after the file."""

    path: str
    commands: tuple[Command, ...]
    skipped: bool = False
    use_db: str = ""
    doc_metacmp: bool | None = None
    problems: tuple[Problem, ...] = ()


def parse_script(text: str, path: str, *, ignore_issues: bool = False) -> Script:
    """The commands of ``text`` (decoded as UTF-8, a BOM kept). ``ignore_issues`` honours ``-- @bvt:issue#N`` marks.

    Text without a final ``;`` at the end of the file is no command. Linear in the length of the text.
    """
    return _Parser(text, path, ignore_issues=ignore_issues).parse()


def database_of(path: str) -> str:
    """The database a script runs in: its file name up to the last dot."""
    return path.rpartition("/")[2].rpartition(".")[0]


class _Parser:
    """One pass over the lines of a script."""

    def __init__(self, text: str, path: str, *, ignore_issues: bool) -> None:
        self.text = text
        self.path = path
        self.use_db = database_of(path)
        self.state = DirectiveState(honour_issues=ignore_issues)
        #: All fields of the next command but its text and lines; None after a directive, until they are asked for.
        self.options: tuple[Any, ...] | None = None
        self.problems: list[Problem] = []
        self.commands: list[Command] = []

    def parse(self) -> Script:
        state, begun, quote, first_line = self.state, list[str](), "", 0
        for number, raw in enumerate(lines(self.text), 1):
            line = raw.strip(TRIMMED)
            if not line:
                continue
            if line.startswith(_COMMENTS):
                if "@" in line:
                    self._directive(line, number)
                    if state.skipped:
                        break
                continue
            if "'" in line or '"' in line:
                complete, quote = scan_line(line, quote)
            else:
                comment = line.find("--")
                complete = not quote and (";" in line if comment < 0 else line.rfind(";", 0, comment) >= 0)
            if not begun:
                first_line = number
            if not complete:
                begun.append(line)
            elif begun:
                begun.append(line)
                self._complete("\n".join(begun), number, first_line)
                begun.clear()
            else:
                self._complete(line, number, number)
        return Script(
            self.path, tuple(self.commands), state.skipped, self.use_db, state.doc_metacmp, tuple(self.problems)
        )

    def _directive(self, line: str, number: int) -> None:
        try:
            self.state.apply(line)
        except ValueError as error:
            self.problems.append(Problem(self.path, number, line, str(error)))
        self.options = None

    def _options(self) -> tuple[Any, ...]:
        state = self.state
        issue = state.issue
        pending: dict[str, Any] = {
            name: tuple(one) if isinstance(one, list) else one for name, one in state.pending.items()
        }
        return Command("", 0, 0, *state.session, self.use_db, issue is not None, issue, **pending)[3:]

    def _complete(self, sql: str, line: int, first_line: int) -> None:
        if self.options is None:
            self.options = self._options()
        self.commands.append(Command._make((sql, line, first_line, *self.options)))
        if self.state.pending:
            self.state.pending.clear()
            self.options = None
