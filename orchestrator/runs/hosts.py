"""What an operator asks about hosts: which one is meant, and what is the matter with it."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator import __version__
from orchestrator.domain.errors import UnknownRunError, nearest
from orchestrator.ledger import keys
from orchestrator.ledger.hosts import Host

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


def named(hosts: list[Host], name: str) -> Host:
    """The host of that name, or the only one whose name begins so."""
    found = [host for host in hosts if host.name == name] or [host for host in hosts if host.name.startswith(name)]
    if len(found) == 1:
        return found[0]
    names = [host.name for host in hosts]
    if found:
        raise UnknownRunError(
            f"{name!r} may mean several hosts: {', '.join(h.name for h in found)}", "Write more of it."
        )
    raise UnknownRunError(f"there is no host {name!r}", nearest(name, names))
