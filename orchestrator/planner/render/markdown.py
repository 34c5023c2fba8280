"""A plan, and why, as Markdown. Names and paths are a stranger's: code spans, no more."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from orchestrator.domain.plan import Omitted, Reason, Suite, TestPlan, TestTask
from orchestrator.domain.shown import printable
from orchestrator.planner.rank import task_id
from orchestrator.planner.render.explain import Told, enough_for, share_of, told
from orchestrator.planner.render.text import omitted_by_reason, origin
from orchestrator.planner.summary import duration

#: A comment holds 65,536 characters (GitHub's limit): long lists are cut, and sections beyond the limit left out.
_ROWS, _NAMES, _CHARACTERS, _LIMIT = 80, 60, 120, 60_000
#: An explanation is a document: no list of it is cut, and evidence is told at length.
_EVIDENCE = 1000


def plan_markdown(plan: TestPlan) -> str:
    """A comment for the pull request: summary, cost, a table by suite with reasons, and the rest folded away. Ends in a
    newline.
    """
    kept, room = [], _LIMIT
    for lines in _sections(plan):
        section = "\n".join(lines)
        room -= len(section)
        kept.append(section if room > 0 else "*… cut: too long for a comment.*")
        if room <= 0:
            break
    return "\n\n".join(kept) + "\n"


def explain_markdown(plan: TestPlan, task: str | None = None) -> str:
    """:func:`orchestrator.planner.render.explain.explain` as a document: tables of what each strategy saw, and how much
    it counted. Ends in a newline.
    """
    chosen, left = told(plan, task)
    parts = []
    if task is None:
        parts.append([f"### Why: test plan `{plan.id[:12]}`", "", _evidence(plan.summary)])
        parts += [[f"> {_evidence(note)}"] for note in plan.notes]
    parts += [list(_why(one, plan.cost.runner_seconds)) for one in chosen]
    if left:
        parts.append(list(_why_not(left)))
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def fenced(text: str) -> str:
    """Lines as they are, in a block that nothing in them ends."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}\n{text.rstrip()}\n{fence}\n"


def _why(told_of: Told, total: float) -> Iterator[str]:
    task = told_of.task
    yield f"#### {code(task.id)}: {html.escape(share_of(task, total))}"
    yield from ("", "| script | strategy | weight | what it saw |", "|---|---|---|---|")
    if of_all := [reason for reason in task.reasons if reason.test is None]:
        yield from _rows([""], of_all)
    for script in told_of.scripts:
        yield from _rows([code(script)], [reason for reason in task.reasons if reason.test == script])
    if told_of.only:
        yield from ("", f"Only {', '.join(map(code, told_of.only))}.")
    if task.note:
        yield from ("", f"{'Skipped' if task.skip else 'Note'}: {_evidence(task.note)}")


def _why_not(left: Sequence[Omitted]) -> Iterator[str]:
    yield from ("#### Not chosen", "", "| test | why not | a budget that takes it | strategy | weight | what it saw |")
    yield "|---|---|---|---|---|---|"
    for test in left:
        why = f"{_evidence(test.reason)} (best evidence {test.score:.2f})"
        yield from _rows([code(task_id(test.type, test.name)), why, enough_for(test)], test.reasons)


def _rows(first: Sequence[str], reasons: Sequence[Reason]) -> Iterator[str]:
    """A line a reason, or one where there is none; the cells of ``first`` are told once."""
    said = [(code(one.strategy), f"{one.weight:.2f}", _evidence(one.detail)) for one in reasons] or [("", "", "")]
    for place, cells in enumerate(said):
        yield f"| {' | '.join([*(first if place == 0 else [''] * len(first)), *cells])} |"


def _evidence(text: str) -> str:
    return code(text, _EVIDENCE)


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


def code(text: str, most: int = _CHARACTERS) -> str:
    """``text`` as a code span that holds whatever is in it: no link, mention, HTML or table cell comes out of it.

    Beyond ``most`` characters it is cut.
    """
    shown = printable(text)
    shown = shown if len(shown) <= most else shown[:most] + "…"
    fence = "`" * (_longest_run(shown) + 1)
    pad = " " if shown.startswith(("`", " ")) or shown.endswith(("`", " ")) or not shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}".replace("|", "\\|")


def _longest_run(text: str) -> int:
    """Of backquotes."""
    return max((len(run) for run in re.findall("`+", text)), default=0)


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
