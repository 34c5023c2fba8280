"""A run as text, for ``status`` and for the end of ``run``."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.cli.progress import by_suite, printable, suite_line
from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import CaseResult, RunSummary, Stop, TaskResult, TaskState

_FAILURES_SHOWN = 10
#: Tasks shown in full; ``--format json`` has all of them.
_TASKS_SHOWN = 40


def summary_text(summary: RunSummary, plan: TestPlan) -> str:
    """Verdict first, then the suites, then what needs a person, then what to do next."""
    return "\n".join(_lines(summary, plan))


def _lines(summary: RunSummary, plan: TestPlan) -> Iterator[str]:
    pull = f", PR {summary.pr_number}" if summary.pr_number else ""
    parent = f", re-run of {summary.parent}" if summary.parent else ""
    yield f"run {summary.run}: {summary.state.value.upper()} after {summary.seconds:.1f} s{pull}{parent}"
    if summary.cancelled_by:
        yield f"  cancelled by {printable(summary.cancelled_by)}"
    states = {result.task: result.state for result in summary.tasks}
    for row in by_suite(plan, states):
        yield f"  {suite_line(*row)}"
    yield f"  cost {summary.cost:.1f} runner-seconds"
    quiet = (TaskState.PASSED, TaskState.SKIPPED, TaskState.PENDING, TaskState.RUNNING)
    telling = [result for result in summary.tasks if result.state not in quiet or result.flaky]
    for result in telling[:_TASKS_SHOWN]:
        yield from task_lines(result)
    if len(telling) > _TASKS_SHOWN:
        yield f"  … and {len(telling) - _TASKS_SHOWN} more tasks: mo-testplan status {summary.run} --format json"
    if summary.tasks and summary.count(TaskState.SKIPPED) == len(summary.tasks):
        yield "  nothing ran:"
        for result in summary.tasks[:_FAILURES_SHOWN]:
            yield from task_lines(result)
    if any(result.state in (TaskState.FAILED, TaskState.ERROR, TaskState.LOST) for result in summary.tasks):
        yield f"  next: mo-testplan logs {summary.run} --task TASK   or   mo-testplan rerun {summary.run} --failed"


def task_lines(result: TaskResult) -> Iterator[str]:
    """A task that needs a person: what failed, where, and how to run it by hand."""
    state = "flaky" if result.flaky else result.state.value
    took = f"({result.seconds:.1f} s)" if result.state.final else ""  # what runs is counted when it ends
    words = (f"  {state}: {result.task}", took, f" {result.message.partition(chr(10))[0]}")
    yield printable(" ".join(filter(str.strip, words)))
    if result.quarantine:
        yield printable(f"    in quarantine, blocks nothing: {result.quarantine}")
    if result.stop is not None:
        yield f"    {stop_words(result.stop)}"
    for case in result.failures[:_FAILURES_SHOWN]:
        yield from case_lines(case)
    if more := len(result.failures[_FAILURES_SHOWN:]) + result.unnamed:
        yield f"    … and {more} more"
    if result.reproduce and result.state is TaskState.FAILED:
        yield printable(f"    by hand: {result.reproduce}")


def case_lines(case: CaseResult) -> Iterator[str]:
    """One failure; SQL with what was expected and what came."""
    where = f"{case.file}:{case.line}" if case.file else ""
    yield printable(f"    ✗ {case.name} {where}")
    if case.expected is not None or case.actual is not None:
        yield printable(f"        expected  {_flat(case.expected)}")
        yield printable(f"        actual    {_flat(case.actual)}")
        return
    for line in [line for line in case.message.splitlines() if line.strip()][:6]:
        yield printable(f"        {line.rstrip()[:200]}")


def stop_words(stop: Stop) -> str:
    """How the end of a cancelled task went: ``signalled after 0.21 s, gone after 0.53 s, cleaned up after 0.54 s``."""
    steps = (("signalled", stop.signalled), ("gone", stop.gone), ("cleaned up", stop.cleaned))
    return ", ".join(f"{word} after {seconds:.2f} s" for word, seconds in steps)


def _flat(text: str | None) -> str:
    return " ⏎ ".join((text or "(nothing)").splitlines())[:300]
