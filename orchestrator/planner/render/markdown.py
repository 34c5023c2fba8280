"""A plan as Markdown for a pull request comment. Names and paths are a stranger's: code spans, no more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from orchestrator.domain.plan import Suite, TestPlan, TestTask
from orchestrator.planner.names import printable
from orchestrator.planner.render.text import omitted_by_reason, origin
from orchestrator.planner.summary import duration

#: A comment holds 65,536 characters (GitHub's limit), so long lists are cut, and say so.
_ROWS, _NAMES, _CHARACTERS = 120, 100, 200


def plan_markdown(plan: TestPlan) -> str:
    """Summary, a table by suite with reasons, cost, and the rest folded away. Ends in a newline."""
    lines = [f"### Test plan `{plan.id[:12]}`", "", code(plan.summary), ""]
    lines += [f"> {code(note)}\n" for note in (*plan.notes, *plan.diff_summary.warnings)]
    for suite in Suite:
        lines += _table(suite, [task for task in plan.tasks if task.type is suite])
    total, wait = duration(plan.cost.runner_seconds), duration(plan.cost.critical_path)
    lines += [f"**{total}** of runner time, **{wait}** on {plan.cost.workers} workers ({', '.join(origin(plan))})."]
    for reason, names in omitted_by_reason(plan.omitted):
        lines += _folded(f"Not chosen, {reason}", names)
    if plan.unmatched:
        lines += _folded("No rule knows", plan.unmatched)
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """``text`` as a code span that holds whatever is in it: no link, mention, HTML or table cell comes out of it."""
    shown = printable(text)
    shown = shown if len(shown) <= _CHARACTERS else shown[:_CHARACTERS] + "…"
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown.startswith(("`", " ")) or shown.endswith(("`", " ")) or not shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}".replace("|", "\\|")


def _table(suite: Suite, tasks: Sequence[TestTask]) -> Iterator[str]:
    if not tasks:
        return
    yield f"| {suite.label} | priority | time | why |"
    yield "|---|---|---|---|"
    for task in tasks[:_ROWS]:
        time = "skipped" if task.skip else duration(task.est_duration)
        note = f" {code(task.note)}" if task.note else ""
        yield f"| {code(task.id)} | {task.priority.name.lower()} | {time} | {code(task.reason)}{note} |"
    if len(tasks) > _ROWS:
        yield f"| and {len(tasks) - _ROWS} more | | | |"
    yield ""


def _folded(title: str, names: Sequence[str]) -> Iterator[str]:
    more = f", and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    yield f"\n<details><summary>{title} ({len(names)})</summary>\n"
    yield ", ".join(map(code, names[:_NAMES])) + more
    yield "\n</details>"
