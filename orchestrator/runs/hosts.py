"""What an operator asks about hosts: which one is meant, and what is the matter with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from orchestrator import __version__
from orchestrator.domain.errors import UnknownRunError, nearest
from orchestrator.ledger import keys
from orchestrator.ledger.hosts import Host
from orchestrator.messaging import host_label

#: Seconds without a beat after which a host counts as silent.
SILENT = 15.0


def faults(host: Host) -> Iterator[str]:
    """What is the matter with a host, each thing in a few words."""
    if host.silent > SILENT:
        yield f"silent for {host.silent:.0f} s"
    if host.scheme is not None and host.scheme != keys.SCHEME:
        yield f"speaks ledger scheme {host.scheme}, this program {keys.SCHEME}"
    record = host.record
    if record is None:
        yield "its record is in a form this version does not know"
        return
    if record.version != __version__:
        yield f"version {record.version}, this program is {__version__}"
    if record.state != "active":
        yield f"{record.state}{f': {record.why}' if record.why else ''}"


def waiting_for(hosts: Iterable[Host], queues: Iterable[str]) -> list[str]:
    """Those of ``queues`` that no host serves which was heard of lately and takes work."""
    served = {
        queue
        for host in hosts
        if host.record is not None and host.silent <= SILENT and host.record.state == "active"
        for queue in host.record.queues
    }
    return sorted(set(queues) - served)


def machine(hosts: Sequence[Host], name: str) -> str:
    """The machine that ``name`` means, as results call it (``build7``) or `hosts` does (``ut@build7``).

    Raises :class:`UnknownRunError` when no worker was ever heard of there.
    """
    found = name.partition(":")[0].rpartition("@")[2]
    ending = f".{host_label(found)}"
    known = {host.name.rpartition("@")[2] for host in hosts}
    if not any(queue.endswith(ending) for host in hosts if host.record for queue in host.record.queues):
        raise UnknownRunError(f"no worker host is called {name!r}", nearest(found, known) or "None was heard of.")
    return found


def named(hosts: list[Host], name: str) -> Host:
    """The host of that name, the only one on that machine, or the only one whose name begins so."""
    found = (
        [host for host in hosts if host.name == name]
        or [host for host in hosts if host.name.rpartition("@")[2] == name]
        or [host for host in hosts if host.name.startswith(name)]
    )
    if len(found) == 1:
        return found[0]
    names = [host.name for host in hosts]
    if found:
        raise UnknownRunError(
            f"{name!r} may mean several hosts: {', '.join(h.name for h in found)}", "Write more of it."
        )
    raise UnknownRunError(f"there is no host {name!r}", nearest(name, names))
