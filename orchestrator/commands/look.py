"""Commands that only look."""

from __future__ import annotations

import time

from orchestrator.commands.cards import run_card
from orchestrator.commands.grammar import VERBS, Command
from orchestrator.commands.model import Answer, Incoming
from orchestrator.commands.neutral import neutral
from orchestrator.commands.office import Office
from orchestrator.domain.errors import UnknownRunError, nearest
from orchestrator.domain.plan import TestPlan, whole_of
from orchestrator.domain.run import CaseResult, RunSummary, TaskState
from orchestrator.ledger.hosts import Host
from orchestrator.planner.rank import task_id
from orchestrator.planner.summary import duration
from orchestrator.runs.hosts import faults
from orchestrator.service.pulls import plan_pull, suites_of

_LINES = 20
_SHOWN = 10


def help_(office: Office, _incoming: Incoming, _command: Command) -> Answer:
    """The commands there are."""
    lines = [f"**{office.say('help')}**"]
    for verb in VERBS:
        what = verb.chinese if office.language == "zh" else verb.english
        lines.append(f"> `{verb.usage}` {'/'.join(word for word in verb.also if not word.isascii())} {what}")
    return Answer("\n".join(lines))


def whoami(office: Office, incoming: Incoming, _command: Command) -> Answer:
    """The id, so that an administrator can enter it, and the role."""
    role = office.people().role(incoming, office.profile.name)
    lines = [office.say("you", neutral(incoming.user, 100), role.label)]
    return Answer("\n".join([*lines, office.say("here", neutral(incoming.group, 100))] if incoming.group else lines))


def status(office: Office, incoming: Incoming, command: Command) -> Answer:
    """One run as a card, or all that go on."""
    if not command.args:
        return runs(office, incoming, command)
    summary, plan = office.runs.find(command.arg(0))
    return Answer(card=run_card(office, summary, plan), target=summary.run)


def runs(office: Office, _incoming: Incoming, _command: Command) -> Answer:
    """One line a run."""
    rows = office.runs.recent(_SHOWN)
    lines = [f"> `{run}` {office.state(state)}{f' PR {pull}' if pull else ''}" for run, state, pull in rows]
    return Answer("\n".join(lines) or office.say("no_runs"))


def plan(office: Office, _incoming: Incoming, command: Command) -> Answer:
    """What would run and why."""
    number = int(command.arg(0))
    found = plan_pull(office.profile, number, settings=office.settings)
    return Answer("\n".join(plan_lines(office, found, number)), target=str(number))


def plan_lines(office: Office, found: TestPlan, number: int) -> list[str]:
    """A plan in a few lines."""
    if not found.tasks:
        return [f"**{office.say('planned', number)}** {office.say('nothing')}", f"> {neutral(found.summary)}"]
    price = found.cost
    cost = (
        f"{office.say('cost')} {duration(price.runner_seconds)} · {office.say('eta')} {duration(price.critical_path)}"
    )
    lines = [f"**{office.say('planned', number)}** {suites_of(found)} · {cost}"]
    lines += [f"> `{neutral(task.id, 100)}` {neutral(task.reason, 100)}" for task in found.tasks[:_SHOWN]]
    return lines + ([f"> … +{len(found.tasks) - _SHOWN}"] if len(found.tasks) > _SHOWN else [])


def failures(office: Office, _incoming: Incoming, command: Command) -> Answer:
    """What failed, infrastructure apart."""
    summary, _ = office.runs.find(command.arg(0))
    lines = [f"**{office.say('failures')}** `{summary.run}` {office.state(summary.state.value)}"]
    for task in summary.tasks:
        if task.state in (TaskState.FAILED, TaskState.ERROR, TaskState.LOST):
            held = f" {neutral(task.quarantine, 80)}" if task.quarantine else ""
            state = office.state(task.state.value)
            lines.append(f"> {state} `{neutral(task.task, 100)}` {neutral(task.message, 120)}{held}")
            lines += [f"> · {_case(case)}" for case in task.failures[:4]]
    if len(lines) == 1:
        lines.append(office.say("none_failed", summary.run))
    return Answer("\n".join(lines[: 3 * _SHOWN]), target=summary.run)


def _case(case: CaseResult) -> str:
    where = f"{neutral(case.file, 100)}:{case.line}" if case.file else ""
    return f"`{neutral(case.name, 100)}` {where} {neutral(case.message, 120)}"


def why(office: Office, _incoming: Incoming, command: Command) -> Answer:
    """The evidence for a test, or against it."""
    summary, found = office.runs.find(command.arg(0))
    for left in found.omitted:
        if command.arg(1) in (left.name, task_id(left.type, left.name)):
            return Answer(office.say("left_out", neutral(left.name, 100), neutral(left.reason)), target=summary.run)
    names = tasks_named(office, summary, command.arg(1))
    tasks = [task for name in names if (task := found.task(name))]
    reasons = dict.fromkeys(reason for task in tasks for reason in task.reasons)
    lines = [f"**{office.say('why')}** `{neutral(', '.join(names), 100)}`"]
    lines += [f"> {reason.strategy} {reason.weight:.2f} {neutral(reason.detail)}" for reason in reasons]
    return Answer("\n".join(lines), target=summary.run)


def logs(office: Office, _incoming: Incoming, command: Command) -> Answer:
    """The last lines of a task."""
    summary, _ = office.runs.find(command.arg(0))
    name = task_named(office, summary, command.arg(1))
    said = office.ledger.log_tail(summary.run, name, _LINES)
    lines = [f"**{neutral(name, 100)}**", *(f"> {neutral(line, 150)}" for line in said)]
    return Answer("\n".join(lines) if said else office.say("no_log"), target=summary.run)


def task_named(office: Office, summary: RunSummary, wanted: str) -> str:
    """The one task whose id is, or contains, ``wanted``; :class:`UnknownRunError` names the nearest ones."""
    found = tasks_named(office, summary, wanted)
    if len(found) > 1:
        raise _unclear(office, summary, wanted, ", ".join(found[:5]))
    return found[0]


def tasks_named(office: Office, summary: RunSummary, wanted: str) -> list[str]:
    """:func:`task_named`; of a category that runs in parts all of them, unless ``wanted`` names a part."""
    names, end = [task.task for task in summary.tasks], f":{wanted}"
    found = (
        [name for name in names if name == wanted]
        or [name for name in names if whole_of(name) == wanted]
        or [name for name in names if name.endswith(end)]
        or [name for name in names if whole_of(name).endswith(end)]
        or [name for name in names if wanted in name]
    )
    meant = found if "#" in wanted else {whole_of(name) for name in found}
    if len(meant) != 1:
        raise _unclear(office, summary, wanted, ", ".join(found[:5]) if found else nearest(wanted, names))
    return found


def _unclear(office: Office, summary: RunSummary, wanted: str, hint: str) -> UnknownRunError:
    return UnknownRunError(office.say("no_task", summary.run, neutral(wanted, 60), neutral(hint, 300)))


def hosts(office: Office, _incoming: Incoming, _command: Command) -> Answer:
    """Every host, what it does and what is the matter with it, and how long each queue is."""
    known = office.ledger.hosts()
    lines = [f"> `{neutral(host.name, 60)}` {_host(host)}" for host in known]
    queues = {queue for host in known if host.record is not None for queue in host.record.queues}
    waiting = [f"{queue} {office.ledger.queue_length(queue)}" for queue in sorted(queues)]
    lines += [f"{office.say('waiting')} {neutral(' · '.join(waiting), 300)}"] if waiting else []
    return Answer("\n".join(lines) or office.say("no_hosts"))


def _host(host: Host) -> str:
    what = neutral("; ".join(faults(host)) or "active", 120)
    record = host.record
    if record is None:
        return what
    busy = f"{len(record.running)}/{record.concurrency}"
    return f"{neutral(','.join(record.queues), 60)} {busy} load {record.load:.1f}/{record.cpus} {what}"


def quarantined(office: Office, _incoming: Incoming, _command: Command) -> Answer:
    """Tests that block nobody now, with their owners."""
    entries = office.store.quarantines(office.profile.name, at=office.clock())
    lines = [f"> `{neutral(entry.test, 100)}` {neutral(entry.words, 100)}" for entry in entries[:_LINES]]
    return Answer("\n".join(lines) or office.say("no_quarantine"))


def audit(office: Office, _incoming: Incoming, command: Command) -> Answer:
    """The newest entries of the audit log."""
    rows = office.store.audit_log(_LINES, command.arg(0) or None)
    lines = [
        f"> {time.strftime('%m-%d %H:%M:%S', time.gmtime(row.at))} {neutral(row.who, 60)} "
        f"`{neutral(row.action, 80)}` {neutral(row.target, 40)} {neutral(row.result, 60)}"
        for row in rows
    ]
    return Answer("\n".join(lines) or office.say("no_audit"), target=command.arg(0))
