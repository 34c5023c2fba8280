"""List worker hosts, and steer them while they run.

  hosts                        version, state, load, disk, what runs and for how long, last heartbeat
  hosts pause NAME --why …     finish what runs, take nothing new, stay
  hosts resume NAME            take work again
  hosts drain NAME --why …     finish what runs, take nothing new, end
  hosts remove NAME            end now: what runs is run again elsewhere; a silent host is forgotten

NAME is a host's name (ut@build7), the beginning of one, or its machine (build7). A host is added by starting
`mo-testplan worker` on it.
"""

from __future__ import annotations

import argparse
import time

from orchestrator.cli import edge
from orchestrator.cli.progress import printable
from orchestrator.domain.errors import EXIT_PASSED, InfrastructureError, UsageError
from orchestrator.domain.plain import to_plain
from orchestrator.ledger import keys
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.hosts import Host, HostRecord, Want, Wanted
from orchestrator.planner.summary import count
from orchestrator.runs.hosts import SILENT, faults, named

#: Seconds that a host has to answer a wish.
_ANSWER = 15.0
_STANDS = {Want.PAUSE: "is paused", Want.ACTIVE: "takes work", Want.DRAIN: "takes nothing new and ends"}
_WANTS = {"pause": Want.PAUSE, "resume": Want.ACTIVE, "drain": Want.DRAIN, "remove": Want.REMOVE}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``hosts``."""
    parser.add_argument("action", nargs="?", choices=["list", *_WANTS], default="list")
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("--why", default="", metavar="TEXT", help="said to whoever looks at the host")
    parser.add_argument("--no-wait", action="store_true", help="do not wait until the host has heard it")
    edge.add_format(parser)


def run(args: argparse.Namespace) -> int:
    """List, or steer one."""
    ledger = Ledger(edge.settings().redis_url, retries=1)
    if args.action == "list":
        _print(ledger.hosts(), args.format)
        return EXIT_PASSED
    if not args.name:
        raise UsageError(f"hosts {args.action}: no host is named", "`mo-testplan hosts` lists them.")
    host = named(ledger.hosts(), args.name)
    done = _steer(ledger, host, _WANTS[args.action], args.why, wait=not args.no_wait)
    edge.record(ledger, f"hosts {args.action}", host.name, done)
    edge.say(f"{host.name}: {done}")
    return EXIT_PASSED


def _steer(ledger: Ledger, host: Host, want: Want, why: str, *, wait: bool) -> str:
    if host.silent > SILENT and want is Want.REMOVE:
        ledger.host_gone(host.name)
        return "was silent, and is forgotten"
    ledger.want(host.name, Wanted(want, edge.who(), why))
    if not wait:
        return f"asked to {want.value}"
    held = host.record.running if host.record else ()
    end = time.monotonic() + _ANSWER
    while time.monotonic() < end:
        now = next((one for one in ledger.hosts() if one.name == host.name), None)
        if now is None:
            _give_back(ledger, held)
            return "has ended"
        if now.record is not None and now.record.state == want.value and want is not Want.REMOVE:
            return f"{_STANDS[want]}; {count(len(now.record.running), ('shard runs', 'shards run'))} on it"
        time.sleep(0.2)
    raise InfrastructureError(f"{host.name} has not answered in {_ANSWER:g} s", "It hears the wish when it is back.")


def _give_back(ledger: Ledger, held: tuple[tuple[str, float], ...]) -> None:
    """What a host that was removed had in hand need not wait for its leases."""
    for member, _ in held:
        seen = ledger.delivery(*keys.pair(member))
        if seen is not None:
            ledger.expire(seen.run, seen.shard, seen.delivery)


def _print(hosts: list[Host], form: str) -> None:
    if form == "json":
        edge.print_json([{**to_plain(host), "faults": list(faults(host))} for host in hosts])
        return
    for host in hosts:
        words = "; ".join(faults(host)) or "active"
        line = f"{host.name:<28} {_figures(host.record)}  heard {host.silent:.0f} s ago  {words}"
        print(printable(line))  # noqa: T201 - the answer
        for member, seconds in host.record.running if host.record else ():
            print(printable(f"    {member.replace('|', '  ')}  {seconds:.0f} s"))  # noqa: T201 - the answer
    if not hosts:
        edge.say("no host has been heard: start `mo-testplan worker` on one")


def _figures(record: HostRecord | None) -> str:
    if record is None:
        return "?"
    busy = f"{len(record.running)}/{record.concurrency} busy"
    return (
        f"{record.version:<8} {','.join(record.queues):<14} {busy:<10} load {record.load:.1f}/{record.cpus}  "
        f"{record.disk_free / (1 << 30):.0f} GiB free"
    )
