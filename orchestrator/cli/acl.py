"""Print the Redis command that makes a user for worker hosts: it reaches the ledger and its queues, and nothing else.

Give it to `redis-cli`, or take what follows `ACL SETUSER` for `user …` in Redis' ACL file. The password is a stand-in.
"""

from __future__ import annotations

import argparse

from orchestrator.cli import edge
from orchestrator.domain.errors import EXIT_PASSED
from orchestrator.domain.options import natural
from orchestrator.ledger.acl import worker_rules
from orchestrator.messaging import CONTROL_QUEUE, SUITE_QUEUES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``acl``."""
    parser.add_argument("--user", default="mo-worker", metavar="NAME", help="its name (default mo-worker)")
    parser.add_argument("--queues", default=",".join(SUITE_QUEUES), help="comma-separated (default: every suite)")
    parser.add_argument("--database", type=natural, default=0, metavar="N", help="number of the database (default 0)")
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Print the rules."""
    rules = worker_rules(args.user, edge.queues_named(args.queues), CONTROL_QUEUE, args.database)
    if args.format == "json":
        edge.print_json(rules)
    else:
        print("ACL SETUSER", *rules[:3], "'>PASSWORD'", *(f"'{rule}'" for rule in rules[3:]))  # noqa: T201
    return EXIT_PASSED
