"""Make a token for the API or the MCP server. It is shown once; tokens.yaml keeps its hash."""

from __future__ import annotations

import argparse
import time

import yaml

from orchestrator.cli import edge
from orchestrator.domain.errors import EXIT_PASSED, UsageError
from orchestrator.domain.options import positive
from orchestrator.service.tokens import hash_of, new_token, tokens_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``token``."""
    parser.add_argument("name", metavar="NAME", help="who will use it; stands in the audit log")
    parser.add_argument("--role", choices=["viewer", "developer", "maintainer", "admin"], default="viewer")
    parser.add_argument("--expires", default="", metavar="YYYY-MM-DD", help="the last day it is good")
    parser.add_argument("--runs", type=positive, help="runs it may start a day")
    parser.add_argument("--runner-minutes", type=positive, help="estimated runner-minutes it may start a day")
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Print the token on stdout, and the line for tokens.yaml on stderr."""
    secret = new_token()
    options = {"role": args.role, "expires": args.expires, "runs": args.runs, "runner_minutes": args.runner_minutes}
    entry = {"name": args.name, "sha256": hash_of(secret), **{k: v for k, v in options.items() if v}}
    tokens_from(
        {"tokens": [entry | ({"runner_minutes": float(args.runner_minutes)} if args.runner_minutes else {})]}, "token"
    )
    if args.expires and args.expires < time.strftime("%Y-%m-%d", time.gmtime()):
        raise UsageError(f"{args.expires} is over: the token would never be good", "Name a day to come.")
    if args.format == "json":
        edge.print_json({"token": secret, "entry": entry})
        return EXIT_PASSED
    print(secret)  # noqa: T201 - the answer
    # A name may look like a number or a yes to YAML: it is quoted then.
    line = yaml.safe_dump(entry, default_flow_style=True, sort_keys=False, width=10_000)
    edge.say(f"a line for tokens.yaml, below `tokens:`\n  - {line.strip()}")
    return EXIT_PASSED
