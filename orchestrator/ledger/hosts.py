"""Worker hosts: what they say of themselves, what operators want of them, and deeds on their way to the audit log."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, cast

from orchestrator.domain.errors import OtherSchemeError, UsageError
from orchestrator.domain.plain import from_json, from_plain
from orchestrator.ledger import keys
from orchestrator.ledger.connection import every_method_reports_broker_errors
from orchestrator.ledger.scripted import Scripted

#: Deeds that wait for a control process to write them down.
_DEEDS_KEPT = 10_000


class Want(StrEnum):
    """What an operator wants of a host."""

    ACTIVE = "active"
    #: Finish what runs, take nothing new, stay.
    PAUSE = "pause"
    #: Finish what runs, take nothing new, end.
    DRAIN = "drain"
    #: End now; what runs is run again elsewhere.
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An operator's word about a host."""

    want: Want = Want.ACTIVE
    who: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRecord:
    """What a worker process says of itself and its machine."""

    #: Its Celery name: ``worker-7@runner3``.
    name: str
    version: str
    #: Scheme of the ledger it speaks.
    scheme: int
    #: With their labels: ``bvt.gpu``.
    queues: tuple[str, ...]
    #: Shards at once.
    concurrency: int
    #: Whether it takes work, and why not.
    state: str = "active"
    why: str = ""
    #: ``run|shard`` and for how long, seconds.
    running: tuple[tuple[str, float], ...] = ()
    #: Of the last minute.
    load: float = 0.0
    cpus: int = 0
    #: Bytes for trees and logs.
    disk_free: int = 0
    sandbox: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """A host as the ledger knows it."""

    name: str
    #: None when its record is in a form this program does not know.
    record: HostRecord | None
    #: Seconds since it was last heard.
    silent: float
    wanted: Wanted = field(default_factory=Wanted)
    #: The scheme it says it speaks, whatever the rest is.
    scheme: int | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """A command that somebody gave."""

    at: float
    who: str
    origin: str
    action: str
    target: str
    result: str


@every_method_reports_broker_errors
class Hosts(Scripted):
    """The part of the ledger that knows hosts, whichever scheme they speak."""

    def agree(self, *, leads: bool = False) -> None:
        """Say which scheme this program speaks; raise as :meth:`check_scheme`.

        Who ``leads`` takes over a ledger of an older scheme, once no run of it is under way.
        """
        self.redis.set(keys.SCHEME_OF, keys.SCHEME, nx=True)
        found = self.scheme()
        if leads and _older(found):
            self._call("agree", [keys.SCHEME_OF, keys.active_of(found)], [found, keys.SCHEME])
        self.check_scheme(leads=leads)

    def scheme(self) -> str:
        """The scheme of the ledger in this Redis; nothing when nobody has said one."""
        return cast("str | None", self.redis.get(keys.SCHEME_OF)) or ""

    def check_scheme(self, *, leads: bool = False) -> None:
        """Raise :class:`OtherSchemeError`, with what to do, when this Redis holds a ledger of another scheme."""
        found = self.scheme()
        if found in ("", str(keys.SCHEME)):
            return
        said = f"the ledger in this Redis has scheme {found:.20}; this program speaks scheme {keys.SCHEME}"
        if not _older(found):
            remedy = "Update mo-testplan on this host, or use another Redis database for this version."
        elif leads:
            said += f", and {self.redis.zcard(keys.active_of(found))} runs of the older one are under way"
            remedy = "Let the older version end or cancel them, then start this again: it takes the ledger over."
        else:
            remedy = "Start `mo-testplan control` of this version first: it takes the ledger over, or says why not."
        raise OtherSchemeError(said, remedy)

    def host_beat(self, record: HostRecord) -> tuple[Wanted, bool]:
        """A host says that it lives; what is wanted of it, and whether the ledger is still of its scheme."""
        names = [keys.HOSTS, keys.HOST_BEATS, keys.HOST_WANTED, keys.SCHEME_OF]
        wanted, scheme = self._call("host", names, [record.name, json.dumps(asdict(record))])
        return _wanted(wanted), scheme in ("", str(keys.SCHEME))

    def host_gone(self, name: str) -> None:
        """A host ends in order, or an operator forgets one that is silent."""
        pipe = self.redis.pipeline(transaction=True)
        pipe.hdel(keys.HOSTS, name)
        pipe.zrem(keys.HOST_BEATS, name)
        pipe.hdel(keys.HOST_WANTED, name)
        pipe.execute()

    def want(self, name: str, wanted: Wanted) -> None:
        """Say what is wanted of a host; it hears at its next beat."""
        if wanted.want is Want.ACTIVE:
            self.redis.hdel(keys.HOST_WANTED, name)
        else:
            self.redis.hset(keys.HOST_WANTED, name, json.dumps(asdict(wanted)))

    def hosts(self) -> list[Host]:
        """Every host that was ever heard and not forgotten, by name."""
        pipe = self.redis.pipeline(transaction=False)  # a Redis whose memory is full opens none, not even to read
        pipe.hgetall(keys.HOSTS)
        pipe.zrange(keys.HOST_BEATS, 0, -1, withscores=True)
        pipe.hgetall(keys.HOST_WANTED)
        pipe.time()
        records, beats, wanted, (seconds, micros) = cast("Any", pipe.execute())
        heard, now = dict(beats), seconds + micros / 1e6
        return [
            _host(name, text, max(0.0, now - heard.get(name, 0.0)), wanted.get(name, ""))
            for name, text in sorted(records.items())
        ]

    def deed(self, deed: Deed) -> None:
        """Hand a deed over to whoever keeps the audit log."""
        self.redis.xadd(
            keys.DEEDS, cast("Any", {"deed": json.dumps(asdict(deed))}), maxlen=_DEEDS_KEPT, approximate=True
        )

    def deeds(self, count: int = 500) -> list[tuple[str, Deed]]:
        """The oldest deeds that wait: (id, deed). What is none is left out."""
        rows = cast("list[tuple[str, dict[str, str]]]", self.redis.xrange(keys.DEEDS, count=count))
        found = []
        for source, fields in rows:
            try:
                found.append((source, from_json(Deed, fields["deed"], "deed")))
            except (UsageError, KeyError):
                self.redis.xdel(keys.DEEDS, source)
        return found

    def deeds_kept(self, sources: list[str]) -> None:
        """These are in the audit log: they need not wait any longer."""
        if sources:
            self.redis.xdel(keys.DEEDS, *sources)


def _older(scheme: str) -> bool:
    """Whether it is one that came before this program's."""
    return scheme.isdecimal() and int(scheme) < keys.SCHEME


def _wanted(text: str) -> Wanted:
    try:
        return from_json(Wanted, text, "wanted") if text else Wanted()
    except UsageError:  # of a newer program: what is not understood is better not worked against
        return Wanted(Want.PAUSE, why="an operator asked for something this version does not know")


def _host(name: str, text: str, silent: float, wanted: str) -> Host:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return Host(name, None, silent)
    scheme = data.get("scheme") if isinstance(data, dict) else None
    try:
        record = from_plain(HostRecord, data, name)
    except UsageError:
        record = None
    return Host(name, record, silent, _wanted(wanted), scheme if isinstance(scheme, int) else None)
