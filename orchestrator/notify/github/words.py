"""The one comment of a pull request: plan, progress, verdict, reasons, cost. Names and messages are a stranger's."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.domain.plan import TestPlan
from orchestrator.domain.run import CaseResult, CaseStatus, RunState, RunSummary, TaskResult, TaskState
from orchestrator.planner.render.markdown import code, plan_markdown
from orchestrator.planner.summary import duration
from orchestrator.runs.baseline import Baseline

#: GitHub's limit for the body of a comment, with room.
MAX_COMMENT = 65_000
_PLAN, _TASKS, _CASES = 40_000, 30, 5
_SIGNS = {
    RunState.PASSED: "✅ passed",
    RunState.FAILED: "❌ failed",
    RunState.CANCELLED: "⏹ cancelled",
    RunState.ERROR: "⚠️ could not be judged",
    RunState.RUNNING: "⏳ running",
    RunState.PLANNED: "⏳ planned",
}
_QUIET = (TaskState.PASSED, TaskState.SKIPPED, TaskState.PENDING, TaskState.RUNNING)
_HELP = "Commands: `/test [ut|bvt|sca]`, `/retest` (what failed), `/cancel`, `/why TEST`."


def marker(profile: str) -> str:
    """What marks our comment among others; nobody sees it."""
    return f"<!-- mo-testplan:{profile} -->"


def run_comment(summary: RunSummary, plan: TestPlan, base: Baseline | None = None) -> str:
    """The comment of a run as it stands; ``base`` says of each failure whether it is the change's own."""
    head = [marker(summary.profile), f"### mo-testplan: {_SIGNS[summary.state]}", "", *_facts(summary, plan), ""]
    return _joined(
        [*head, *_attention(summary, base or Baseline()), *_second_tries(summary), "", *_folded_plan(plan), "", _HELP]
    )


def plan_comment(plan: TestPlan, why_not: str) -> str:
    """The comment of a plan that does not run, and why."""
    head = [marker(plan.profile), "### mo-testplan: plan", "", why_not, ""]
    return _joined([*head, *_folded_plan(plan), "", _HELP])


def _joined(lines: list[str]) -> str:
    text = "\n".join(lines)
    return text if len(text) <= MAX_COMMENT else text[: MAX_COMMENT - 1] + "…"


def _facts(summary: RunSummary, plan: TestPlan) -> Iterator[str]:
    done = sum(task.state.final for task in summary.tasks)
    counts = [f"{number} {state.value}" for state in TaskState if (number := summary.count(state))]
    commit = (plan.diff_summary.head_commit or "")[:12]
    spent = f"{duration(summary.cost)} of about {duration(plan.cost.runner_seconds)} runner time"
    yield f"Run `{summary.run}` of `{commit}`: {done}/{len(summary.tasks)} tasks ({', '.join(counts)}), {spent}."
    if summary.parent:
        yield f"A re-run of `{summary.parent}`."
    if summary.cancelled_by:
        yield f"Cancelled by {code(summary.cancelled_by)}."


def _attention(summary: RunSummary, base: Baseline) -> Iterator[str]:
    telling = [task for task in summary.tasks if task.state not in _QUIET]
    for task in telling[:_TASKS]:
        blocks = f" (in quarantine, blocks nobody: {code(task.quarantine)})" if task.quarantine else ""
        whole = "" if task.failures else _new(base.new(task.task, ""))
        yield f"* **{task.state.value}**{blocks} {code(task.task)}{whole} {_first_line(task.message)}"
        yield from (f"  * {_case(case)}{_new(base.new(task.task, case.name))}" for case in task.failures[:_CASES])
        if more := len(task.failures[_CASES:]) + task.unnamed:
            yield f"  * … and {more} more"
        if task.reproduce and task.state is TaskState.FAILED:
            yield f"  * by hand: {code(task.reproduce)}"
    if len(telling) > _TASKS:
        yield f"* … and {len(telling) - _TASKS} more tasks"


def _second_tries(summary: RunSummary) -> Iterator[str]:
    flaky = [task.task for task in summary.tasks if task.flaky]
    for task in flaky[:_TASKS]:
        yield f"* **flaky** {code(task)}: it failed, and passed when it was tried again"
    if len(flaky) > _TASKS:
        yield f"* … and {len(flaky) - _TASKS} more flaky tasks"


def _new(new: bool | None) -> str:
    """Whether a failure is the change's own, as far as the base branch's history knows."""
    return {True: " — **new with this change**", False: " — fails on the base branch, too", None: ""}[new]


def _case(case: CaseResult) -> str:
    where = f" {code(f'{case.file}:{case.line}')}" if case.file else ""
    return f"{code(case.name)}{where} {_first_line(case.message)}"


def _first_line(text: str) -> str:
    return code(text.strip().splitlines()[0]) if text.strip() else ""


def _folded_plan(plan: TestPlan) -> Iterator[str]:
    text = plan_markdown(plan)
    cut = "" if len(text) <= _PLAN else "\n\n*… cut*"
    yield f"<details><summary>Plan {plan.id[:12]}: why each test was chosen</summary>"
    yield ""
    yield text[:_PLAN] + cut
    yield "</details>"


def annotated(summary: RunSummary, limit: int = 500) -> list[dict[str, object]]:
    """What failed at a file and line, as a check run shows it (docs: Checks API, annotations)."""
    found = [(task, case) for task in summary.tasks for case in task.failures if _placed(case)]
    return [_annotation(task, case) for task, case in found[:limit]]


def _placed(case: CaseResult) -> bool:
    return bool(case.file and case.line) and case.status in (CaseStatus.FAILED, CaseStatus.ERROR)


def _annotation(task: TaskResult, case: CaseResult) -> dict[str, object]:
    message = case.message.strip() or case.name
    if case.expected is not None or case.actual is not None:
        message += f"\nexpected: {case.expected or '(nothing)'}\nactual: {case.actual or '(nothing)'}"
    return {
        "path": case.file,
        "start_line": case.line,
        "end_line": case.line,
        "annotation_level": "failure",
        "title": f"{task.task}: {case.name}"[:255],
        "message": message[:16_000],
    }


def conclusion(state: RunState) -> str:
    """The verdict as a check run says it. Infrastructure is nobody's failure, and nothing that lets a change in."""
    return {RunState.PASSED: "success", RunState.FAILED: "failure", RunState.CANCELLED: "cancelled"}.get(
        state, "action_required"
    )


def headline(summary: RunSummary) -> str:
    """One line: what the check run is called, and what a status says (140 characters at most)."""
    counts = [f"{number} {state.value}" for state in TaskState if (number := summary.count(state))]
    return f"{_SIGNS[summary.state][2:].strip()}: {', '.join(counts) or 'no tasks'}"[:140]
