"""What piles up when something is wrong: memory of the broker, messages, shards, runs. Companion of ``checks``.

Every remedy names its section of ``docs/runbook.md``.
"""

from __future__ import annotations

import time

from orchestrator.cli.checks import Check, Host, missing
from orchestrator.cli.progress import seconds_words
from orchestrator.domain.errors import MoTestplanError, OtherSchemeError
from orchestrator.ledger.client import Ledger
from orchestrator.store import OutboxState, Store

#: Part of the broker's memory, and seconds, from which on it is worth a look.
_FULL = 0.8
_OUTBOX_OLD = 600.0
_UNSTARTED_OLD = 1800.0
_UNTOLD_OLD = 120.0


def alarms(host: Host) -> list[Check]:
    """Memory, oldest message, oldest shard that waits, runs that have ended untold."""
    found: list[Check] = []
    try:
        ledger = Ledger(host.settings.redis_url, retries=0)
        found += [scheme(ledger), memory(ledger.memory()), unstarted(ledger), untold(ledger)]
        if host.profile is not None:
            found.append(projects(ledger, host.profile.name))
        ledger.close()
    except MoTestplanError as error:
        found.append(missing("broker's contents", error, required=False))
    try:
        with Store(host.settings.store_url) as store:
            found.append(outbox(store, time.time()))
    except MoTestplanError as error:
        found.append(missing("outbox", error, required=False))
    return found


def scheme(ledger: Ledger) -> Check:
    """Whether the ledger is one that this version speaks."""
    name = "ledger"
    try:
        ledger.check_scheme(leads=True)
    except OtherSchemeError as error:
        return missing(name, error)
    return Check(name=name, ok=True, found=f"scheme {ledger.scheme() or 'not said yet'}")


def memory(used: tuple[int, int]) -> Check:
    """How full the broker is; (used, most) in bytes, the latter 0 when it may take all there is."""
    now, most = used
    size = f"{now / (1 << 20):.0f} MiB" + (f" of {most / (1 << 20):.0f}" if most else ", no limit set")
    remedy = "Give it more, or see what fills it: docs/runbook.md, broker memory."
    return Check(name="broker memory", ok=not most or now < _FULL * most, found=size, remedy=remedy, required=False)


def unstarted(ledger: Ledger) -> Check:
    """How long the oldest shard has waited for a worker."""
    waiting = ledger.queued()
    if not waiting:
        return Check(name="oldest unstarted shard", ok=True, found="none waits")
    run, shard, sent = waiting[0]
    age = max(0.0, ledger.now() - sent)
    found = f"{shard} of run {run} for {seconds_words(age)}; {len(waiting)} wait"
    remedy = "More workers, or none serves its queue: docs/runbook.md, unstarted shard."
    name = "oldest unstarted shard"
    return Check(name=name, ok=age < _UNSTARTED_OLD, found=found, remedy=remedy, required=False)


def untold(ledger: Ledger) -> Check:
    """Runs whose tasks have all ended and that have no summary."""
    now = ledger.now()
    runs = [p.run for run in ledger.active() if (p := ledger.progress(run)) is not None and p.complete]
    late = [run for run in runs if now - _last(ledger, run, now) > _UNTOLD_OLD]
    found = f"{', '.join(late[:3])} ended and has no summary" if late else "every run that ended has its summary"
    remedy = "No control process runs, or it cannot write: docs/runbook.md, run without a summary."
    return Check(name="summaries", ok=not late, found=found, remedy=remedy, required=False)


def _last(ledger: Ledger, run: str, now: float) -> float:
    """When something happened in a run for the last time."""
    event = ledger.last_event(run)
    return event.seconds if event else now


def projects(ledger: Ledger, profile: str) -> Check:
    """Whether runs of other profiles are under way: those of another project do not belong here."""
    live = {p.profile for run in ledger.active() if (p := ledger.progress(run)) is not None}
    others = sorted(live - {profile})
    found = f"runs of {', '.join(others)} are under way, too" if others else f"no run is of another than {profile}"
    remedy = "Right for profiles of one project; another one needs a Redis database of its own: docs/operations.md."
    return Check(name="projects", ok=not others, found=found, remedy=remedy, required=False)


def outbox(store: Store, now: float) -> Check:
    """How long the oldest message has waited to be told."""
    waiting = store.outbox(state=OutboxState.WAITING, limit=1)
    if not waiting:
        return Check(name="outbox", ok=True, found="no message waits")
    age = max(0.0, now - waiting[0].created)
    why = f": {waiting[0].error}" if waiting[0].error else ""
    found = f"oldest message for {waiting[0].message.channel} waits for {seconds_words(age)}{why}"
    remedy = "A chat does not take them: docs/runbook.md, outbox age."
    return Check(name="outbox", ok=age < _OUTBOX_OLD, found=found, remedy=remedy, required=False)
