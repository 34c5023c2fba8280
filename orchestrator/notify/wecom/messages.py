"""What a group robot says when a run ends: the verdict first, then why, then what to type next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from orchestrator.commands.words import Language
from orchestrator.domain.plan import Suite
from orchestrator.domain.run import CaseResult, CaseStatus, RunState, RunSummary, TaskResult, TaskState
from orchestrator.notify.wecom.text import MARKDOWN_LIMIT, clip, neutral, size
from orchestrator.notify.wecom.words import WORDS, Words
from orchestrator.runs.baseline import Baseline

#: Lines of failures at most, of one task at most, and of infrastructure troubles at most.
_FAILURES = 10
_PER_TASK = 4
_TROUBLES = 5

#: The colours a robot knows: green, grey and orange.
_COLOURS = {RunState.PASSED: "info", RunState.CANCELLED: "comment"}
_TROUBLED = (TaskState.ERROR, TaskState.LOST)


class _Section(NamedTuple):
    """A heading, its lines in order of importance, and how many there are in truth."""

    title: str
    lines: list[str]
    total: int
    #: What else the heading says.
    note: str = ""


def summary_message(
    summary: RunSummary, language: Language = "zh", limit: int = MARKDOWN_LIMIT, base: Baseline | None = None
) -> str:
    """The one message of a finished run, as markdown of at most ``limit`` bytes.

    Verdict, counts by suite, the first failures (SQL with its file and line; those that ``base`` has not, first), and
    apart from them what is flaky, quarantined, or trouble of the infrastructure; time and cost, and the commands that
    look further and run again what failed.
    """
    words = WORDS[language]
    head, tail = _head(summary, words), _tail(summary, words)
    parts = (_failures(summary, words, base or Baseline()), *_apart(summary, words), _troubles(summary, words))
    sections = [section for section in parts if section.total]
    room = (limit - size("\n".join([*head, *tail]))) // max(1, len(sections))
    body = [line for section in sections for line in _fit(section, words, room)]
    return clip("\n".join([*head, *body, *tail]), limit)


def _head(summary: RunSummary, words: Words) -> list[str]:
    colour = _COLOURS.get(summary.state, "warning")
    title = f'**<font color="{colour}">{words.states[summary.state]}</font>** {neutral(summary.profile, 60)}'
    if summary.pr_number is not None:
        title += f" PR {summary.pr_number}"
    times = f"{words.took} {duration(summary.seconds)} · {words.cost} {duration(summary.cost)}"
    lines = [title, f"> {words.run} `{neutral(summary.run, 80)}` · {times}"]
    if summary.parent:
        lines.append(f"> {words.parent} `{neutral(summary.parent, 80)}`")
    if summary.cancelled_by:
        gone = [task.stop.gone for task in summary.tasks if task.stop is not None]
        ended = f" · {words.ended_in.format(duration(max(gone)))}" if gone else ""
        lines.append(f"> {words.cancelled_by}{neutral(summary.cancelled_by, 120)}{ended}")
    return lines + (_suites(summary, words) or [words.nothing])


def _tail(summary: RunSummary, words: Words) -> list[str]:
    run = neutral(summary.run, 80)
    lines = [f"{words.details} `mo-testplan status {run}`"]
    if summary.state is not RunState.PASSED:
        lines.append(f"{words.rerun} `mo-testplan rerun {run} --failed`")
    return lines


def _suites(summary: RunSummary, words: Words) -> list[str]:
    """One line a suite, in the order of the suites; a task id begins with its suite (``ut:pkg/sql/plan``)."""
    lines = []
    for suite in Suite:
        tasks = [task for task in summary.tasks if task.task.partition(":")[0] == suite.queue]
        if tasks:
            lines.append(f"**{suite.label}** {_states(tasks, words)} · {words.cases} {_cases(tasks, words)}")
    return lines


def _states(tasks: list[TaskResult], words: Words) -> str:
    counts = [(state, sum(task.state is state for task in tasks)) for state in TaskState]
    return " ".join(f"{count} {words.tasks[state]}" for state, count in counts if count)


def _cases(tasks: list[TaskResult], words: Words) -> str:
    counts = (
        (sum(task.passed for task in tasks), TaskState.PASSED),
        (sum(task.failed for task in tasks), TaskState.FAILED),
        (sum(task.skipped for task in tasks), TaskState.SKIPPED),
    )
    return " ".join(f"{count} {words.tasks[state]}" for count, state in counts if count) or "0"


def new_failures(summary: RunSummary, base: Baseline) -> int:
    """How many of the failures that a summary shows, and that block, the base branch does not have."""
    return sum(base.new(task.task, case.name) is True for task in _blocking(summary) for case in _cases_of(task))


def _blocking(summary: RunSummary) -> list[TaskResult]:
    return [task for task in summary.tasks if task.counts_as is TaskState.FAILED]


def _failures(summary: RunSummary, words: Words, base: Baseline) -> _Section:
    failed = _blocking(summary)
    rows = [row for task in failed for row in _task_failures(task, words, base)]
    rows.sort(key=lambda row: row[0] is not True)  # what is new first
    lines = [f"{line} {_MARK[is_new](words)}".rstrip() for is_new, line in rows]
    total = sum(max(task.failed, len(_real(task.failures)), 1) for task in failed)
    fresh = new_failures(summary, base)
    known = any(is_new is not None for is_new, _ in rows) and (fresh or not any(task.unnamed for task in failed))
    note = words.of_them_new.format(fresh) if known else ""  # one that is not named may be new
    return _Section(words.failures, lines[:_FAILURES], total, note)


#: What stands behind a failure: the change's own, one of the base branch, or not known.
_MARK: dict[bool | None, Callable[[Words], str]] = {
    True: lambda words: f'<font color="warning">{words.new}</font>',
    False: lambda words: f'<font color="comment">{words.known}</font>',
    None: lambda _: "",
}


def _real(failures: Iterable[CaseResult]) -> list[CaseResult]:
    return [case for case in failures if case.status in (CaseStatus.FAILED, CaseStatus.ERROR)]


def _cases_of(task: TaskResult) -> list[CaseResult]:
    """The failures of a task; one without a name when it failed as a whole."""
    return _real(task.failures) or [CaseResult("", CaseStatus.FAILED, message=task.message)]


def _task_failures(task: TaskResult, words: Words, base: Baseline) -> Iterator[tuple[bool | None, str]]:
    """Whether it is new, and its line."""
    cases = sorted(_cases_of(task), key=lambda case: base.new(task.task, case.name) is not True)
    for case in cases[:_PER_TASK]:
        line = _case_line(task, case, words) if case.name else _line(task.task, None, task.message)
        yield base.new(task.task, case.name), line


def _case_line(task: TaskResult, case: CaseResult, words: Words) -> str:
    place = None
    if case.file:
        place = f"{neutral(case.file, 160)}:{case.line}" if case.line is not None else neutral(case.file, 160)
    why = case.message
    if case.expected is not None and case.actual is not None:
        why = f"{words.expected} {neutral(case.expected, 60)} {words.actual} {neutral(case.actual, 60)}"
    if case.kind in words.kinds:
        why = f"{words.kinds[case.kind]} {why}"
    if place and place.endswith(case.name):  # a SQL command is named by its place
        return _line(place, None, why)
    return _line(case.name or task.task, place, why)


def _line(name: str, place: str | None, why: str) -> str:
    parts = [f"`{neutral(name, 120)}`", neutral(place, 200) if place else "", neutral(why, 160)]
    return "> " + " ".join(part for part in parts if part)


def _apart(summary: RunSummary, words: Words) -> Iterator[_Section]:
    """What failed and blocks nothing: in quarantine, or only once."""
    held = [task for task in summary.tasks if task.quarantine and task.state is TaskState.FAILED]
    lines = [_line(task.task, task.quarantine, _first_words(task)) for task in held[:_TROUBLES]]
    yield _Section(words.quarantined, lines, len(held))
    flaky = [task for task in summary.tasks if task.flaky]
    lines = [_line(task.task, None, _first_words(task)) for task in flaky[:_TROUBLES]]
    yield _Section(words.flaky, lines, len(flaky))


def _first_words(task: TaskResult) -> str:
    case = next(iter(_real(task.failures)), None)
    return f"{case.name} {case.message}" if case is not None else task.message


def _troubles(summary: RunSummary, words: Words) -> _Section:
    """Tasks whose answer could not be had: never shown among the failures."""
    troubled = [task for task in summary.tasks if task.state in _TROUBLED]
    lines = [_line(task.task, words.tasks[task.state], task.message) for task in troubled[:_TROUBLES]]
    return _Section(words.infrastructure, lines, len(troubled))


def _fit(section: _Section, words: Words, room: int) -> list[str]:
    """The heading, as many lines as ``room`` bytes hold, and how many are not shown."""
    shown = [" ".join(filter(None, (f"**{section.title}** {section.total}", section.note)))]
    left = room - size(shown[0]) - size(words.more.format(section.total)) - 2
    for line in section.lines:
        left -= size(line) + 1
        if left < 0:
            break
        shown.append(line)
    hidden = section.total - (len(shown) - 1)
    return shown if hidden <= 0 else [*shown, words.more.format(hidden)]


def duration(seconds: float) -> str:
    """``0.4s``, ``42s``, ``3m20s``, ``2h05m``."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"
