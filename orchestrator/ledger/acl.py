"""What a worker's Redis user may do, as Redis' ACL rules: the ledger's keys, its queues, Celery's own, nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.ledger import keys

#: Commands: data and scripts, never administration.
_COMMANDS = ("-@all", "+@connection", "+@read", "+@write", "+@pubsub", "+@transaction", "+@scripting", "+time", "+info")
_DENIED = ("-@admin", "-@dangerous", "-script|kill", "-script|flush", "-function", "+info")
#: Keys of Celery and kombu: bindings, what is not acknowledged, results, chords, replies, remote control.
_CELERY = (
    "_kombu.*",
    "unacked*",
    "celery-task-meta-*",
    "celery-taskset-meta-*",
    "chord-unlock-*",
    "*.celery.pidbox*",
    "*.reply.celery.pidbox*",
)
#: Events and results. Remote control is listened to by a pattern, which Redis wants to be told as it is.
_CHANNELS = ("/{db}.celeryev/*", "/{db}.celery.pidbox", "celery-task-meta-*")


def worker_rules(user: str, queues: Iterable[str], control_queue: str, database: int = 0) -> list[str]:
    """The words after ``ACL SETUSER`` for workers of these queues, but for the password (``>…``).

    What runs on a worker host never sees the password; these rules are for the day it does.
    """
    lists = [f"~{queue}*" for queue in (*queues, control_queue)]
    ours = [f"~{keys.PREFIX}:*", "~mtp:*", *lists, *(f"~{name}" for name in _CELERY)]
    return [user, "reset", "on", *ours, *(f"&{name.format(db=database)}" for name in _CHANNELS), *_COMMANDS, *_DENIED]
