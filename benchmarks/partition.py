"""Two worker hosts as network namespaces with addresses of their own, one of them cut off in mid-run.

    python benchmarks/partition.py [--format text|json]     (needs root and iproute2)

Each host runs a long test when the link of one goes down. The other one must have its test within the lease and five
seconds; the host that is cut off must have ended its own copy before, so that no two executions overlap; the run must
end with one summary in which every test counts once; and when the link is up again that host must serve as before.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `python benchmarks/partition.py` finds the packages without an installation

from benchmarks.outages import progress_of, started  # noqa: E402 - after the path is set
from benchmarks.rig.fleet import Fleet, NetBroker  # noqa: E402
from benchmarks.rig.processes import family, of_tests  # noqa: E402
from benchmarks.rig.project import Behaviour, make_project  # noqa: E402
from benchmarks.rig.waiting import seconds_until  # noqa: E402
from orchestrator.domain.run import TaskState  # noqa: E402
from orchestrator.ledger.client import Ledger  # noqa: E402
from orchestrator.runs import control  # noqa: E402
from orchestrator.store import Store  # noqa: E402

LEASE, CUT_OFF = 5.0, 12.0
TEST_SECONDS = 30.0


class Host:
    """A network namespace and its link: ``inside`` is its own address, ``outside`` the broker's on that link."""

    def __init__(self, number: int) -> None:
        self.name = f"mo{os.getpid()}-{number}"
        self.link = f"mo{os.getpid() % 100_000}v{number}"
        net = f"10.{200 + number}.{os.getpid() % 250}"
        self.outside, self.inside = f"{net}.1", f"{net}.2"
        self.prefix = ["ip", "netns", "exec", self.name]

    def __enter__(self) -> Host:
        _ip("netns", "add", self.name)
        _ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _ip("addr", "add", f"{self.outside}/24", "dev", self.link)
        _ip("-n", self.name, "addr", "add", f"{self.inside}/24", "dev", "eth0")
        for words in (("-n", self.name, "link", "set", "lo", "up"), ("-n", self.name, "link", "set", "eth0", "up")):
            _ip(*words)
        self.connect(up=True)
        return self

    def connect(self, *, up: bool) -> None:
        """Plug the link in or out. Nobody is told that a connection ended."""
        _ip("link", "set", self.link, "up" if up else "down")

    def __exit__(self, *_: object) -> None:
        _ip("netns", "del", self.name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextlib.contextmanager
def two_hosts() -> Iterator[list[Host]]:
    """Two namespaces, gone afterwards."""
    with Host(1) as one, Host(2) as two:
        yield [one, two]


def measure(folder: Path) -> dict[str, Any]:
    """The campaign: its figures."""
    tests = {name: Behaviour("passes", TEST_SECONDS) for name in ("a", "b")} | {"c": Behaviour("passes", 2.0)}
    project = make_project(folder, tests, dispatch=f"{{lease: {LEASE}, cut_off: {CUT_OFF}}}")
    with two_hosts() as hosts, Fleet(project, hosts=0, listen=[host.outside for host in hosts]) as fleet:
        assert isinstance(fleet.broker, NetBroker)
        for number, host in enumerate(hosts):
            url = fleet.broker.at(host.outside)
            fleet.hosts.append(fleet.host(f"host{number}", prefix=host.prefix, url=url))
        fleet.wait_ready()
        return _campaign(fleet, hosts[0])


def _campaign(fleet: Fleet, cut: Host) -> dict[str, Any]:
    ledger, victim = fleet.ledger(), fleet.hosts[0]
    run = control.start(fleet.app, ledger, fleet.project.plan([["a"], ["b"]]))
    seconds_until(lambda: progress_of(ledger, run).tasks[TaskState.RUNNING] == 2, "both run")
    seconds_until(lambda: family(victim.pid) & of_tests(fleet.mark), "the test is up")
    cut.connect(up=False)
    began = time.monotonic()
    # The other host is busy with its own test: a third one takes over.
    fleet.hosts.append(fleet.host("host2"))
    ended = seconds_until(
        lambda: not family(victim.pid) & of_tests(fleet.mark), "the host that is cut off ends its test", began=began
    )
    seconds_until(lambda: len(started(ledger, run)) == 3, "the test is given to another host", began=began)
    lost = next(event for event in ledger.events(run) if event.kind == "retried")
    again = next(event for event in ledger.events(run) if event.kind == "started" and event.fields["attempt"] == "2")
    cut.connect(up=True)
    seconds_until(lambda: progress_of(ledger, run).state.final, "the run ends")
    results, between = ledger.results(run).values(), _between(ledger, run)
    with Store(fleet.environ["MO_TESTPLAN_STORE_URL"]) as store:
        told = store.summary(run) is not None
    figures = {
        "test_ended_on_cut_off_host": round(ended, 1),
        "reaped_to_again": round(_seconds(again.id) - _seconds(lost.id), 1),
        "state": progress_of(ledger, run).state.value,
        **between,
        "results": len(results),
        "one_summary": told,
        "serves_again": _serves_again(fleet),
    }
    apart = between["overlap"] == 0 and between["ended_before_again"] > 0
    kept = apart and figures["state"] == "passed" and len(results) == 2 and told and figures["serves_again"]
    figures["ok"] = bool(kept and ended <= LEASE + 1)
    return figures


def _between(ledger: Ledger, run: str) -> dict[str, float]:
    """Seconds for which two hosts had the test, and by which the first had ended it before the second began.

    The host that was cut off says so when it can speak again.
    """
    kinds = ("overlap", "yielded")
    seconds_until(lambda: any(event.kind in kinds for event in ledger.events(run)), "it is recorded")
    said = {event.kind: float(event.fields["seconds"]) for event in ledger.events(run) if event.kind in kinds}
    return {"overlap": said.get("overlap", 0.0), "ended_before_again": said.get("yielded", 0.0)}


def _serves_again(fleet: Fleet) -> bool:
    """Whether the host that was cut off takes a test once it is the only one left."""
    for other in fleet.hosts[1:]:
        other.kill()
    run = control.start(fleet.app, fleet.ledger(), fleet.project.plan([["c"]]))
    seconds_until(lambda: progress_of(fleet.ledger(), run).state.final, "it ends")
    return progress_of(fleet.ledger(), run).state.value == "passed"


def _seconds(event: str) -> float:
    return int(event.partition("-")[0]) / 1000


def main() -> int:
    """Print the figures; exit 1 when the promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--format", choices=["text", "json"], default="text")
    args = parser.parse_args()
    if os.geteuid() != 0 or shutil.which("ip") is None:
        sys.exit("network namespaces need root and iproute2")
    folder = Path(tempfile.mkdtemp(prefix="partition-"))
    try:
        figures = measure(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(figures) if args.format == "json" else "\n".join(f"{k:<28} {v}" for k, v in figures.items()))
    return 0 if figures["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
