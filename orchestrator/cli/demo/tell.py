"""What a newcomer sees of the demo: numbered steps, the evidence, and what to try next."""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from orchestrator.cases.expectation import read_expectation
from orchestrator.cli.demo.played import Played
from orchestrator.cli.demo.stage import Stage
from orchestrator.cli.progress import printable
from orchestrator.domain.errors import BadCaseError
from orchestrator.domain.plan import Suite, TestPlan
from orchestrator.domain.run import CaseResult, FailureKind, RunState, RunSummary
from orchestrator.planner.render.text import plan_text
from workers.sandbox import available

_COLOURS = {RunState.PASSED: "bold green", RunState.FAILED: "bold red"}
#: Rows and lines of one failure that are shown.
_SHOWN = 6
#: The robot's markdown, as far as its messages use it, and the colours a group shows.
_MARKDOWN = re.compile(r'\*\*|`|<font color="(\w+)">|</font>')
_FONTS = {"info": "green", "comment": "bright_black", "warning": "yellow"}


class Teller:
    """Writes to standard output, in colour where that is a terminal; progress goes to standard error as ever."""

    def __init__(self) -> None:
        self._out = Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)
        #: Lines are folded for a terminal, and left whole for a file.
        self._width = self._out.width if self._out.is_terminal else 10_000
        self._step = 0

    def pull_request(self, base: str, head: str, lines: Iterable[str]) -> None:
        """What is tested."""
        self._head("A pull request")
        self._prose(
            "A small shop in Go says twice what goods cost: in Go for the till, and as a SQL view for the reports."
            " The pull request caps discounts at 100 % in both, and in both it loses a rounding."
        )
        self._say(f"{base[:7]}..{head[:7]}, pricing/pricing.go:")
        self._change(lines)

    def plan(self, plan: TestPlan) -> None:
        """What will run and why."""
        self._head("Its plan: what to run, and why")
        self._block(plan_text(plan).splitlines())

    def starting(self, scene: Stage) -> None:
        """Between the plan and the first progress."""
        self._head("Its run: unit tests, static analysis and SQL cases")
        workers = len(scene.stack.services) - 1
        self._prose(
            f"Starting an embedded Redis, a control process and {workers} worker{'s' * (workers > 1)} …"
            " Go begins with an empty cache, so its first test takes a while."
        )
        if available(os.environ.get("PATH")) is None:
            self._say("There is no sandbox on this host: the tests run with your rights.")

    def failures(self, played: Played) -> None:
        """Verdict, and what failed: Go tests as Go says it, SQL with expected and actual."""
        self.verdict(played.summary)
        for case in innermost(played.failures(Suite.UNIT_TEST)):
            self._say(f"\n  ✗ {case.name}", "red")
            lines = [line.strip() for line in case.message.splitlines() if line.strip()]
            self._block(line for line in lines[:_SHOWN] if not line.startswith(("=== ", "--- ")))
        for case in played.failures(Suite.SCA):
            self._say(f"\n  ✗ {case.name}", "red")
            self._block(case.message.splitlines()[:_SHOWN])
        for case in played.failures(Suite.BVT):
            self._sql(case)

    def strict(self, cases: Sequence[CaseResult]) -> None:
        """What passes as mo-tester compares, and is wrong."""
        if not cases:
            return
        self._say("")
        self._prose(
            "And what nobody was told: mo-tester's comparison rounds numbers, so it lets this pass."
            " `compare: both` has the strict comparison look too."
        )
        for case in cases:
            self._sql(case, "≠", "yellow")

    def _sql(self, case: CaseResult, mark: str = "✗", style: str = "red") -> None:
        self._say(f"\n  {mark} {case.file}:{case.line}", style)
        reason, _, statement = case.message.partition("\n")
        self._block((statement or reason).splitlines()[:_SHOWN])
        self._answer("expected", case.expected)
        self._answer("actual", case.actual)
        if case.kind is not FailureKind.MISMATCH and statement:
            self._block([reason])

    def _answer(self, title: str, text: str | None) -> None:
        rows = table(text)
        for number, row in enumerate(rows[: _SHOWN + 1]):
            self._say(f"      {title if number == 0 else '':<10}{row}")

    def message(self, text: str) -> None:
        """What the group reads."""
        self._say("\nThe WeCom group reads:")
        for line in text.splitlines():
            for part in self._folded(line.removeprefix("> "), "    " if line.startswith("> ") else ""):
                self._out.print(Text("  │ ", "cyan") + as_shown(part))

    def fix(self, commit: str, lines: Iterable[str]) -> None:
        """What the author does next."""
        self._head("A fix")
        self._say(f"The author adds commit {commit[:7]}:")
        self._change(lines)

    def again(self, plan: TestPlan, whole: TestPlan) -> None:
        """What runs a second time."""
        self._head("A new run, of what failed alone")
        names = ", ".join(task.id for task in plan.tasks)
        self._prose(f"{len(plan.tasks)} of {len(whole.tasks)} tasks, on the new commit: {names}")

    def verdict(self, summary: RunSummary) -> None:
        """One line."""
        parent = f", child of {summary.parent}" if summary.parent else ""
        text = f"Run {summary.run}{parent}: {summary.state.value.upper()} after {summary.seconds:.1f} s"
        self._say(text, _COLOURS.get(summary.state, "bold"))

    def kept(self, scene: Stage) -> None:
        """Where everything is, with ``--keep``."""
        self._say(f"\nKept: {scene.folder}. Look around with")
        self._say(f"  export MO_TESTPLAN_STATE={scene.settings.state}")
        self._say("  mo-testplan runs")
        self._say(f"  git -C {scene.sample.path} log -p")

    def end(self, played: Played, seconds: float, report: Path | None) -> None:
        """The last words."""
        green = played.summary.state is RunState.PASSED
        self._head(f"{'Green' if green else 'Not green'} after {seconds:.0f} s")
        if report is not None:
            self._say(f"Report: {report}")
        if green:
            self._prose(
                "Next: `mo-testplan doctor` says what your host still needs for a project of your own."
                " README.md shows the way from here."
            )

    def _head(self, title: str) -> None:
        self._step += 1
        self._say(f"\n{self._step}. {title}", "bold")

    def _change(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._say(f"    {line.expandtabs(4)}", "green" if line.startswith("+") else "red")

    def _prose(self, text: str) -> None:
        for line in textwrap.wrap(text, min(self._width, 100)):
            self._say(line)

    def _block(self, lines: Iterable[str]) -> None:
        for line in lines:
            for part in self._folded(line, "    "):
                self._say(part)

    def _folded(self, line: str, indent: str) -> list[str]:
        """``line`` in as many as the terminal needs, further ones set in."""
        own = line[: len(line) - len(line.lstrip())]
        return textwrap.wrap(
            line.strip(),
            max(40, self._width - 8),
            initial_indent=indent + own,
            subsequent_indent=f"{indent}{own}      ",
            break_on_hyphens=False,
        ) or [""]

    def _say(self, text: str, style: str | None = None) -> None:
        for line in text.split("\n"):
            self._out.print(printable(line), style=style)


def innermost(failures: list[CaseResult]) -> list[CaseResult]:
    """Without the tests that failed for their subtests alone."""
    names = [case.name for case in failures]
    return [case for case in failures if not any(name.startswith(f"{case.name}/") for name in names)]


def as_shown(line: str) -> Text:
    """A line of the robot's markdown as a group shows it."""
    shown, end, bold, code, colour = Text(), 0, False, False, ""
    for mark in _MARKDOWN.finditer(line):
        style = " ".join(filter(None, ["bold" * bold, "cyan" * code, colour]))
        shown.append(printable(line[end : mark.start()]), style)
        end = mark.end()
        if mark[0] == "**":
            bold = not bold
        elif mark[0] == "`":
            code = not code
        else:
            colour = _FONTS.get(mark[1] or "", "")
    return shown.append(printable(line[end:]))


def table(text: str | None) -> list[str]:
    """An answer as lines, header first: both layouts of results look alike."""
    if text is None:
        return ["(nothing)"]
    try:
        answer = read_expectation(text, "both")
    except BadCaseError:
        return text.splitlines()
    cells = [[column.label for column in answer.columns], *([cell or "" for cell in row] for row in answer.rows)]
    widths = [max(len(row[number]) for row in cells) for number in range(len(answer.columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
