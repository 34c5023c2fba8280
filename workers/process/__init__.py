"""Supervised subprocesses: what this worker starts ends when it says so, or when it dies.

:func:`run` starts a program in a session of its own, streams its lines, watches deadline, cancel flag and output, and
returns when the whole process group is gone. A *death pipe* ends the group when the worker itself is killed.
"""

from __future__ import annotations

from workers.process.environment import scrub
from workers.process.host import Host
from workers.process.lines import CappedLog
from workers.process.model import Command, Exit, Limits, Reason, Stream
from workers.process.scratch import remove_tree, scratch_directory
from workers.process.supervisor import run

__all__ = [
    "CappedLog",
    "Command",
    "Exit",
    "Host",
    "Limits",
    "Reason",
    "Stream",
    "remove_tree",
    "run",
    "scratch_directory",
    "scrub",
]
