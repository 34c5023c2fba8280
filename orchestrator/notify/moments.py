"""What is said of a run before it ends: that it is planned, how far it is, and what failed first."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.commands.neutral import neutral
from orchestrator.commands.office import Office
from orchestrator.domain.errors import UsageError
from orchestrator.domain.plain import from_json
from orchestrator.domain.run import CaseResult
from orchestrator.ledger.records import Event, Progress
from orchestrator.notify.wecom.messages import duration
from orchestrator.notify.wecom.words import WORDS
from orchestrator.planner.codec import loads
from orchestrator.service.pulls import suites_of

#: Shares of a run's tasks, in percent, that are worth a message.
STEPS = (25, 50, 75)


def planned(office: Office, progress: Progress) -> str:
    """What will run, why, and what it costs."""
    plan = loads(office.ledger.plan(progress.run) or "{}")
    cost = f"{office.say('cost')} {duration(plan.cost.runner_seconds)}"
    eta = f"{office.say('eta')} {duration(plan.cost.critical_path)}"
    head = f"**{neutral(progress.profile, 40)}**{_pull(progress)} `{progress.run}` {suites_of(plan)} · {cost} · {eta}"
    reasons = [f"> `{neutral(task.id, 80)}` {neutral(task.reason, 100)}" for task in plan.tasks[:3]]
    more = [f"> … +{len(plan.tasks) - 3}"] if len(plan.tasks) > 3 else []
    return "\n".join([head, f"> {neutral(plan.summary)}", *reasons, *more])


def step(office: Office, progress: Progress) -> int:
    """The last of :data:`STEPS` that a run which takes long has passed; 0 for none."""
    if office.clock() - progress.created < office.profile.wecom.progress_after or progress.complete:
        return 0
    share = 100 * progress.done // max(1, progress.total)
    return max((passed for passed in STEPS if share >= passed), default=0)


def halfway(office: Office, progress: Progress) -> str:
    """How far it is, and how long the rest may take if it goes on so."""
    passed = max(0.0, office.clock() - progress.created)
    rest = passed * (progress.total - progress.done) / max(1, progress.done)
    return f"{line(office, progress)} · {office.say('eta')} {duration(rest)}"


def line(office: Office, progress: Progress) -> str:
    """How a run stands."""
    words = WORDS[office.language]
    counts = [f"{count} {words.tasks[state]}" for state, count in progress.tasks.items() if count]
    return f"`{progress.run}`{_pull(progress)} {progress.done}/{progress.total}: {', '.join(counts)}"


def first_failure(office: Office, progress: Progress) -> str:
    """The failure that came first."""
    what = ""
    for event in _events(office, progress.run):
        if event.kind == "failure" and (case := _case(event)) is not None:
            what = f"`{neutral(case.name, 100)}` {neutral(case.message, 160)}"
            break
        if event.kind == "finished" and event.fields.get("state") == "failed":
            what = f"`{neutral(event.fields.get('task', ''), 100)}`"
            break
    return f'<font color="warning">{office.say("first")}</font>{_pull(progress)} `{progress.run}`\n> {what}'


def _events(office: Office, run: str) -> Iterator[Event]:
    """All events of a run, a page at a time."""
    after = "0"
    while page := office.ledger.events(run, after):
        yield from page
        after = page[-1].id


def _case(event: Event) -> CaseResult | None:
    """The case that failed; None for what is none: a worker's word is not to be trusted."""
    try:
        return from_json(CaseResult, event.fields.get("case", ""), "case")
    except UsageError:
        return None


def _pull(progress: Progress) -> str:
    return f" PR {progress.pr_number}" if progress.pr_number else ""
