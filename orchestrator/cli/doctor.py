"""Say what is missing on this host for a profile, and how to get it.

Exits 3 when something is missing that is needed (✗); what is only advised is marked !. With --local, what `run --local`
needs: no Redis and no workers of one's own.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from orchestrator.cli import checks, checks_alarms, checks_services, edge
from orchestrator.cli.checks import Check, Host
from orchestrator.domain.errors import EXIT_INFRASTRUCTURE, EXIT_PASSED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``doctor``."""
    parser.add_argument("--profile", default="matrixone", metavar="P", help="name or file (default matrixone)")
    parser.add_argument("--local", action="store_true", help="look at what `run --local` needs")
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Look at everything, then say it."""
    found = list(examine(Host(edge.settings(), args.profile), local=args.local))
    if args.format == "json":
        edge.print_json(found)
    else:
        print(text(found, args.profile))  # noqa: T201 - the answer
    return EXIT_PASSED if healthy(found) else EXIT_INFRASTRUCTURE


def examine(host: Host, *, local: bool) -> Iterator[Check]:
    """Every check, in the order a person would mend them."""
    yield checks.python(host)
    yield checks.git(host)
    yield checks.go(host)
    yield checks.profile(host)
    yield from checks.analysers(host)
    yield checks.repository(host, required=not local)
    yield checks_services.sql_server(host)
    yield checks_services.store(host)
    yield checks.disk(host)
    yield checks.sandbox(host)
    yield checks.embedded_redis(host, required=local)
    if not local:
        broker = checks_services.broker(host)
        yield from broker
        yield from checks_services.queues(host, reachable=broker[0].ok)
        if broker[0].ok:
            yield from checks_alarms.alarms(host)


def healthy(found: list[Check]) -> bool:
    """Whether nothing that is needed is missing."""
    return all(check.ok or not check.required for check in found)


def text(found: list[Check], profile: str) -> str:
    """One line a check, and a remedy below what needs one."""
    width = max(len(check.name) for check in found)
    lines = []
    for check in found:
        mark = "✓" if check.ok else "✗" if check.required else "!"
        lines.append(f"{mark} {check.name:<{width}}  {check.found}")
        if not check.ok:
            lines.append(f"  {'':<{width}}  → {check.remedy}")
    needed = sum(check.required and not check.ok for check in found)
    lines.append("")
    lines.append(f"{needed} missing for profile {profile}." if needed else f"This host is ready for profile {profile}.")
    return "\n".join(lines)
