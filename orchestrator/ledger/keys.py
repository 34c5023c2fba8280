"""Names of the ledger's keys. The scheme number is part of every name, so that two versions never mix."""

from __future__ import annotations

#: Version of the ledger's layout. Workers of another scheme take no work.
SCHEME = 1
PREFIX = f"mtp{SCHEME}"

#: Sorted set: run id → when it was created. Runs that have no summary yet.
ACTIVE = f"{PREFIX}:active"
#: Sorted set: ``run|shard`` → when its lease ends.
LEASES = f"{PREFIX}:leases"
#: Sorted set: ``run|shard`` → when its message was sent. Shards no worker has started.
QUEUED = f"{PREFIX}:queued"
#: Hash: how often two workers had a task at once, and for how many seconds.
OVERLAPS = f"{PREFIX}:overlaps"
#: String: the control process that reaps, with an expiry.
LEADER = f"{PREFIX}:leader"
#: String: where control processes keep the history, with an expiry.
HISTORY = f"{PREFIX}:history"
#: String: when a leader last looked at the runs.
TICKED = f"{PREFIX}:ticked"
#: Without a scheme in their names, so that hosts of other versions are seen. Hash: host → JSON of what it says of
#: itself; sorted set: host → when it was heard last; hash: host → JSON of what an operator wants of it.
HOSTS, HOST_BEATS, HOST_WANTED = "mtp:hosts", "mtp:hosts:beats", "mtp:hosts:wanted"
#: String: the scheme of the ledger in this Redis.
SCHEME_OF = "mtp:scheme"
#: Stream: deeds on their way to the audit log.
DEEDS = f"{PREFIX}:deeds"

_PARTS = (
    "tasks",
    "attempts",
    "shards",
    "results",
    "doubts",
    "cancelled",
    "events",
    "cases",
    "told",
    "plan",
    "specs",
    "builds",
)


def active_of(scheme: str) -> str:
    """:data:`ACTIVE` of a ledger of another scheme: what of it is under way can be told without knowing the rest."""
    return f"mtp{scheme}:active"


def run(run_id: str) -> str:
    """Hash: header and counters of a run."""
    return f"{PREFIX}:run:{run_id}"


def part(run_id: str, name: str) -> str:
    """A key of a run: hashes, but ``events`` and ``cases`` (streams) and ``plan`` (text)."""
    assert name in _PARTS, name  # noqa: S101 - a name nobody knows is a bug of ours
    return f"{PREFIX}:{name}:{run_id}"


def parts(run_id: str) -> list[str]:
    """Every key of a run but its header, the events stream first."""
    return [part(run_id, "events"), *(part(run_id, name) for name in _PARTS if name != "events")]


def log(run_id: str, task: str) -> str:
    """Stream: the tail of a task's log."""
    return f"{PREFIX}:log:{run_id}:{task}"


def pair(member: str) -> tuple[str, str]:
    """(run, shard) of a member of :data:`LEASES` or :data:`QUEUED`."""
    run_id, _, shard = member.partition("|")
    return run_id, shard
