"""A plan as Markdown for a pull request comment. Names and paths are a stranger's: code spans, no more."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from orchestrator.domain.plan import Suite, TestPlan, TestTask
from orchestrator.domain.shown import printable
from orchestrator.planner.render.text import omitted_by_reason, origin
from orchestrator.planner.summary import duration

#: A comment holds 65,536 characters (GitHub's limit): long lists are cut, and sections beyond the limit left out.
_ROWS, _NAMES, _CHARACTERS, _LIMIT = 80, 60, 120, 60_000


def plan_markdown(plan: TestPlan) -> str:
    """Summary, a table by suite with reasons, cost, and the rest folded away. Ends in a newline."""
    kept, room = [], _LIMIT
    for lines in _sections(plan):
        section = "\n".join(lines)
        room -= len(section)
        kept.append(section if room > 0 else "*… cut: too long for a comment.*")
        if room <= 0:
            break
    return "\n\n".join(kept) + "\n"


def _sections(plan: TestPlan) -> Iterator[list[str]]:
    yield [f"### Test plan `{plan.id[:12]}`", "", code(plan.summary)]
    yield from ([f"> {code(note)}"] for note in (*plan.notes, *plan.diff_summary.warnings)[:_NAMES])
    total, wait = duration(plan.cost.runner_seconds), duration(plan.cost.critical_path)
    yield [f"**{total}** of runner time, **{wait}** on {plan.cost.workers} workers ({', '.join(origin(plan))})."]
    for suite in Suite:
        tasks = [task for task in plan.tasks if task.type is suite]
        if tasks:
            yield list(_table(suite, tasks))
    for reason, names in omitted_by_reason(plan.omitted):
        yield _folded(f"Not chosen, {reason}", names)
    if plan.unmatched:
        yield _folded("No rule knows", plan.unmatched)


def code(text: str) -> str:
    """``text`` as a code span that holds whatever is in it: no link, mention, HTML or table cell comes out of it."""
    shown = printable(text)
    shown = shown if len(shown) <= _CHARACTERS else shown[:_CHARACTERS] + "…"
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown.startswith(("`", " ")) or shown.endswith(("`", " ")) or not shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}".replace("|", "\\|")


def _table(suite: Suite, tasks: Sequence[TestTask]) -> Iterator[str]:
    yield f"| {suite.label} | priority | time | why |"
    yield "|---|---|---|---|"
    for task in tasks[:_ROWS]:
        time = "skipped" if task.skip else duration(task.est_duration)
        note = f" {code(task.note)}" if task.note else ""
        yield f"| {code(task.id)} | {task.priority.name.lower()} | {time} | {code(task.reason)}{note} |"
    if len(tasks) > _ROWS:
        yield f"| and {len(tasks) - _ROWS} more | | | |"


def _folded(title: str, names: Sequence[str]) -> list[str]:
    more = f", and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    head = f"<details><summary>{html.escape(printable(title))} ({len(names)})</summary>"
    return [head, "", ", ".join(map(code, names[:_NAMES])) + more, "", "</details>"]
