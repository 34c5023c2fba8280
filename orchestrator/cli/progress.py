"""What a person sees while a run goes: bars a suite, failures as they come; plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping

from orchestrator.cli.edge import say
from orchestrator.domain.errors import UnknownRunError, UsageError
from orchestrator.domain.plain import from_json
from orchestrator.domain.plan import Suite, TestPlan
from orchestrator.domain.run import CaseResult, RunState, TaskState
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.records import Event, Progress
from orchestrator.runs.outlook import outlook

#: Seconds between looks.
_EVERY = 0.3
#: No worker on a queue is looked for after this long, and said within five seconds.
_UNSERVED_AFTER = 3.0
_ASK_EVERY = 30.0
#: A summary is written at once: that there is none after this long is said.
_SUMMARY_AFTER = 15.0
#: Failures of one task that are shown as they come; the end of the task says how many there were.
_FAILURES_SHOWN = 5
#: Lines about failures and ends of tasks in a whole run: after these only the counters go on.
_LINES_SHOWN = 200
#: Seconds between two looks at what is to come.
_HINT_EVERY = 5.0
#: Plain lines come at most this often, so that a log of an hour stays readable.
_LINE_EVERY = 10.0


def watch(
    ledger: Ledger,
    run: str,
    plan: TestPlan,
    *,
    check: Callable[[], object] = lambda: None,
    unserved: Callable[[Collection[str]], Collection[str]] = lambda _: (),
) -> RunState:
    """Follow a run until its summary is written; its final state.

    ``check`` is called at every look and may raise; ``unserved`` says which of some queues no worker serves: it is
    asked of those where a task still waits after three seconds, and now and then again.
    """
    view = _Bars(plan) if sys.stderr.isatty() else _Lines(plan)
    ask, last, told, unserved_said = time.monotonic() + _UNSERVED_AFTER, "0", _Telling(), set[str]()
    queue_of = {task: shard.queue for shard in plan.shards for task in shard.tasks}
    hint, missing = _Hint(ledger, run, plan), _Missing()
    with view:
        while True:
            check()
            progress = ledger.progress(run)
            if progress is None:
                raise UnknownRunError(f"no run {run!r} is known here", "`mo-testplan runs` lists them.")
            events = ledger.events(run, last)
            for event in events:
                last = event.id
                for line in told.lines(event):
                    view.line(line)
            states = ledger.states(run)
            view.show(progress, states, hint())
            if progress.state.final and not events:
                return progress.state
            waiting = {queue_of[task] for task, state in states.items() if state is TaskState.PENDING} - unserved_said
            if waiting and time.monotonic() >= ask:
                for queue in sorted(unserved(waiting)):
                    view.line(f"no worker serves queue {queue!r}: start `mo-testplan worker --queues {queue}`; waiting")
                    unserved_said.add(queue)
                ask = time.monotonic() + _ASK_EVERY
            if missing(states):
                view.line("all tasks have ended, and there is no summary: no control process runs, or it cannot write")
            time.sleep(_EVERY)


#: Why a task is tried again.
_AGAIN = {
    "silent": "its worker went silent",
    "error": "infrastructure failed it",
    "failed": "failed, which one more try is to confirm",
}


class _Missing:
    """Whether a run has waited long for its summary; said once."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._said = False

    def __call__(self, states: Mapping[str, TaskState]) -> bool:
        if self._said or not all(state.final for state in states.values()):
            return False
        self._since = self._since or time.monotonic()
        self._said = time.monotonic() - self._since >= _SUMMARY_AFTER
        return self._said


class _Hint:
    """How long it takes, or what it waits for: asked now and then, because it looks at every shard that waits."""

    def __init__(self, ledger: Ledger, run: str, plan: TestPlan) -> None:
        self._ledger, self._run, self._plan = ledger, run, plan
        self._next, self._text = time.monotonic() + _HINT_EVERY, ""

    def __call__(self) -> str:
        if time.monotonic() >= self._next:
            coming = outlook(self._ledger, self._run, self._plan)
            ahead = sum(place.ahead for place in coming.queues)
            left = coming.seconds_left
            waits = f"{ahead} shards ahead" if ahead else ""
            self._text = f"about {seconds_words(left)} left" if left is not None else waits
            self._next = time.monotonic() + _HINT_EVERY
        return self._text


def seconds_words(seconds: float) -> str:
    """``42 s``, ``3 min 20 s``, ``2 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


class _Telling:
    """Which events are told: the first failures of each task, and so many lines of a run."""

    def __init__(self) -> None:
        self._failures: Counter[str] = Counter()
        self._told = 0

    def lines(self, event: Event) -> Iterator[str]:
        if event.kind == "failure":
            task = event.fields.get("task", "")
            self._failures[task] += 1
            if self._failures[task] > _FAILURES_SHOWN:
                return
        line = describe(event)
        if not line or self._told > _LINES_SHOWN:
            return
        self._told += 1
        yield line if self._told <= _LINES_SHOWN else "  … and more, which `mo-testplan status` tells"


def describe(event: Event) -> str:
    """A line for an event that people want to see; empty for the others, and for what is none of ours."""
    try:
        return printable(_line(event))
    except (UsageError, ValueError, KeyError):  # a worker's word is not to be trusted
        return ""


def _line(event: Event) -> str:
    if event.kind == "failure":
        return _failure(event.fields)
    if event.kind == "retried":
        why = _AGAIN.get(event.fields.get("why", ""), _AGAIN["silent"])
        return f"  … {event.fields['task']}: {why} (attempt {event.fields['attempt']}); runs again"
    if event.kind == "overlap":
        return f"  … {event.fields['task']}: two hosts had it for {event.fields['seconds']} s; one result counts"
    if event.kind == "finished" and event.fields["state"] not in ("passed", "skipped"):
        return f"  {event.fields['state']:<9} {event.fields['task']} ({float(event.fields['seconds']):.1f} s)"
    return ""


def _failure(fields: Mapping[str, str]) -> str:
    case = from_json(CaseResult, fields["case"], "case")
    where = f"{case.file}:{case.line}" if case.file else ""
    name = case.name if not where.endswith(case.name) else ""
    first = next((line.strip() for line in case.message.splitlines() if line.strip()), "")
    return "  ".join(filter(None, ["  ✗", fields["task"], name, where, first[:160]]))


def printable(text: str) -> str:
    """A line of a test with everything a terminal would obey taken out, and tabs as spaces."""
    return "".join(char if char.isprintable() else "�" for char in text.expandtabs(4))


def bar(done: int, total: int, width: int = 24) -> str:
    """``██████░░░░``."""
    filled = width if total == 0 else width * done // total
    return "█" * filled + "░" * (width - filled)


def by_suite(plan: TestPlan, states: Mapping[str, TaskState]) -> list[tuple[Suite, Counter[TaskState]]]:
    """Tasks of each suite in the plan, counted by state."""
    counters: dict[Suite, Counter[TaskState]] = {}
    for task in plan.tasks:
        counters.setdefault(task.type, Counter())[states.get(task.id, TaskState.PENDING)] += 1
    return [(suite, counters[suite]) for suite in Suite if suite in counters]


def suite_line(suite: Suite, counts: Counter[TaskState]) -> str:
    """One suite: bar, done of total, and the states worth naming."""
    total, done = counts.total(), sum(count for state, count in counts.items() if state.final)
    words = [
        f"{counts[state]} {state.value}" for state in TaskState if counts[state] and state is not TaskState.PENDING
    ]
    return f"{suite.label:<4} {bar(done, total)} {done}/{total}  {', '.join(words)}"


class _Lines:
    def __init__(self, plan: TestPlan) -> None:
        self._plan, self._last, self._said = plan, 0.0, ""

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def line(self, text: str) -> None:
        say(text)

    def show(self, progress: Progress, states: Mapping[str, TaskState], hint: str) -> None:
        cases = f"{progress.cases_passed} cases passed, {progress.cases_failed} failed"
        text = ", ".join(filter(None, [f"{progress.done}/{progress.total} tasks", cases, hint]))
        due = time.monotonic() - self._last >= _LINE_EVERY or progress.state.final
        if due and text != self._said:
            say(
                "\n".join(
                    [f"[{progress.run}] {text}", *(f"  {suite_line(*row)}" for row in by_suite(self._plan, states))]
                )
            )
            self._last, self._said = time.monotonic(), text


class _Bars:
    def __init__(self, plan: TestPlan) -> None:
        from rich.console import Console
        from rich.live import Live

        self._plan = plan
        self._live = Live(console=Console(stderr=True), refresh_per_second=8, transient=False)

    def __enter__(self) -> _Bars:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)

    def line(self, text: str) -> None:
        self._live.console.print(text, markup=False, highlight=False)

    def show(self, progress: Progress, states: Mapping[str, TaskState], hint: str) -> None:
        from rich.text import Text

        rows = [suite_line(*row) for row in by_suite(self._plan, states)]
        cases = (
            f"cases {progress.cases_passed} passed, {progress.cases_failed} failed, {progress.cases_skipped} skipped"
        )
        head = "  ".join(filter(None, [f"run {progress.run}", progress.state.value, hint]))
        self._live.update(Text("\n".join([head, *rows, cases])))
