"""Tools that only look. Every answer is bounded and says how to read on."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

from pydantic import Field

from orchestrator.autopilot.judge import Triage, judge
from orchestrator.domain.run import RunState
from orchestrator.mcp.desk import After, Limit, MaybeTask, McpDesk, Offset, PlanId, RunName, TaskName
from orchestrator.planner.render.explain import explain
from orchestrator.service import views
from orchestrator.service.change import BUDGET, MAX_DIFF, Change
from orchestrator.service.fields import Pull
from orchestrator.service.reads import Until

#: Seconds a call may take: clients give up after sixty.
MAX_WAIT = 45
#: Tasks of a plan in an answer; explain_plan pages through all.
_TASKS = 50
#: Reasons of a task in a list of tasks.
_REASONS = 5


@dataclasses.dataclass(frozen=True, slots=True)
class PlanView:
    """A plan in short."""

    plan: str
    summary: str
    commit: str | None
    tasks: tuple[str, ...]
    tasks_total: int
    omitted_total: int
    runner_seconds: float
    #: Seconds until the last of the assumed workers is done.
    critical_path: float
    notes: tuple[str, ...]
    #: Whether it can be started: it names a commit and has something to run.
    runnable: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Explanation:
    """Why tests of a plan were chosen, or not."""

    plan: str
    #: ``{id, reason, reasons, reasons_total, priority, est_duration, note}``: the weightiest reasons first; all of them
    #: when the task is named.
    chosen: tuple[dict[str, Any], ...]
    chosen_total: int
    #: ``{id, score, reason}``.
    omitted: tuple[dict[str, Any], ...]
    omitted_total: int
    next: int | None


def _first(reasons: list[dict[str, Any]], named: str | None) -> dict[str, Any]:
    weighty = sorted(reasons, key=lambda reason: -reason["weight"])
    return {"reasons": weighty if named else weighty[:_REASONS], "reasons_total": len(reasons)}


def _shortened(failure: views.Failure, most: int) -> views.Failure:
    case = failure.case
    expected, actual = (text and _cut(text, most) for text in (case.expected, case.actual))
    short = dataclasses.replace(case, message=_cut(case.message, most), expected=expected, actual=actual)
    return dataclasses.replace(failure, case=short)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"


class Looking:
    """Each public method is a tool; its docstring is what an agent reads."""

    def __init__(self, desk: McpDesk) -> None:
        self._desk = desk

    def plan_change(  # noqa: PLR0913 - the ways to name a change
        self,
        pull: Annotated[Pull | None, Field(description="Number of a pull request.")] = None,
        base: Annotated[
            str | None, Field(max_length=250, description="Revision of the clone the change is for.")
        ] = None,
        head: Annotated[str | None, Field(max_length=250, description="The change, with base.")] = None,
        diff: Annotated[str | None, Field(max_length=MAX_DIFF, description="A unified diff.")] = None,
        commit: Annotated[
            str | None, Field(pattern=r"^[0-9a-f]{40}$", description="Commit that the diff leads to, to run it.")
        ] = None,
        suite: Annotated[Literal["ut", "bvt", "sca"] | None, Field(description="Only this suite.")] = None,
        tasks: Annotated[list[str] | None, Field(max_length=1000, description="Only these tasks.")] = None,
        budget: Annotated[
            str, Field(pattern=BUDGET, description="What the tests may cost: 10% of all, 90s, 30min, 1h.")
        ] = "",
    ) -> PlanView:
        """Plan the tests of a change: exactly one of pull, base (with head) and diff (with commit, to run it).

        Nothing is executed. The plan is kept for a week: start_run takes its id.
        """
        self._desk.reader()
        change = Change(
            pull=pull,
            base=base,
            head=head,
            diff=diff,
            commit=commit,
            suite=suite,
            tasks=tuple(tasks or ()),
            budget=budget,
        )
        plan = self._desk.service.plan(change)
        commit_of = plan.diff_summary.head_commit
        return PlanView(
            plan.id,
            plan.summary,
            commit_of,
            tuple(task.id for task in plan.tasks[:_TASKS]),
            len(plan.tasks),
            len(plan.omitted),
            plan.cost.runner_seconds,
            plan.cost.critical_path,
            plan.notes[:20],
            bool(plan.tasks and commit_of),
        )

    def explain_plan(self, plan: PlanId, task: MaybeTask = None, offset: Offset = 0, limit: Limit = 20) -> Explanation:
        """Why each test of a plan was chosen and why others were not; of one test when task names it."""
        self._desk.reader()
        found = explain(self._desk.service.writes.kept(plan), task)
        keys = ("id", "reason", "reasons", "priority", "est_duration", "note")
        page = found["tasks"][offset : offset + limit]
        chosen = tuple({key: entry[key] for key in keys} | _first(entry["reasons"], task) for entry in page)
        few = ("id", "score", "reason")
        omitted = tuple({key: entry[key] for key in few} for entry in found["omitted"][offset : offset + limit])
        total, left = len(found["tasks"]), len(found["omitted"])
        following = offset + limit if offset + limit < max(total, left) else None
        return Explanation(plan, chosen, total, omitted, left, following)

    def list_runs(
        self,
        limit: Limit = 20,
        pull: Annotated[Pull | None, Field(description="Only of this pull request.")] = None,
        state: Annotated[RunState | None, Field(description="Only runs in this state.")] = None,
    ) -> list[views.RunRow]:
        """The newest runs, live ones first."""
        self._desk.reader()
        return self._desk.service.reads.runs(limit, pull, state)

    def get_run(self, run: RunName) -> views.RunView:
        """How a run stands: its state, counts, and the tasks that need attention."""
        self._desk.reader()
        return self._desk.service.reads.run(run)

    def watch_run(
        self,
        run: RunName,
        after: After = "0",
        wait: Annotated[float, Field(ge=0, le=MAX_WAIT, description="Seconds to wait at most.")] = 20,
        until: Annotated[Until, Field(description="What to wait for; the end of a run comes in any case.")] = "event",
    ) -> views.Watched:
        """Wait for what happens in a run after a cursor, and say how it stands: call again with `cursor` until `ended`.

        For the verdict alone: until=end with the longest wait, again and again.
        """
        self._desk.reader()
        return self._desk.service.reads.watch(run, after, wait, until)

    def triage_run(self, run: RunName) -> Triage:
        """What each failure of a run means: new with the change, known on the base branch, flaky, or infrastructure.

        With evidence and what to do next. Read it before read_failures; it runs nothing.
        """
        self._desk.reader()
        return judge(self._desk.service, run)

    def read_failures(
        self,
        run: RunName,
        task: MaybeTask = None,
        offset: Offset = 0,
        limit: Limit = 20,
        characters: Annotated[int, Field(ge=100, le=20_000, description="At most so much of each text.")] = 2000,
    ) -> views.FailurePage:
        """What failed, case by case: message, file and line, for SQL what was expected and what came.

        `error` and `lost` are infrastructure: not the change's fault.
        """
        self._desk.reader()
        page = self._desk.service.reads.failures(run, task, offset, limit)
        return dataclasses.replace(page, failures=tuple(_shortened(one, characters) for one in page.failures))

    def read_log(self, run: RunName, task: TaskName, after: After = "0", limit: Limit = 100) -> views.LogPage:
        """The log of a task from a cursor on, as far as it is kept."""
        self._desk.reader()
        return self._desk.service.reads.log(run, task, after, limit)

    def list_hosts(self) -> views.Fleet:
        """Queues with their length and age, and the workers that serve them."""
        self._desk.reader()
        return self._desk.service.reads.fleet()

    def run_stats(self) -> views.Stats:
        """The last runs in figures."""
        self._desk.reader()
        return self._desk.service.reads.stats()
