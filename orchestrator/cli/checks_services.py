"""What must be running, here or elsewhere: broker, workers, SQL server, history. Companion of ``checks``."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from orchestrator.cli.checks import Check, Host, embedded_sql, existing, missing
from orchestrator.domain.errors import BrokerError, MoTestplanError
from orchestrator.ledger.connection import connect, masked

_START_WORKER = "Start `mo-testplan worker --queues {0} --profile {1}` on a host that can."
_START_CONTROL = "Start `mo-testplan control --profile {1}`."
_SERVER_SECONDS = 5.0


def broker(host: Host) -> list[Check]:
    """Whether Redis answers, and whether it keeps what it is given."""
    import redis

    url = host.settings.redis_url
    try:
        client = connect(url, retries=0)
        try:
            info = client.info()
        finally:
            client.close()
    except (BrokerError, redis.RedisError, OSError) as error:
        return [_no_broker(error.message if isinstance(error, BrokerError) else f"{masked(url)}: {error}")]
    version = info.get("valkey_version") or info.get("redis_version", "of unknown version")
    checks = [Check(name="broker", ok=True, found=f"{masked(url)}: Redis {version}")]
    return [*checks, append_only(info), eviction(info)]


def _no_broker(found: str) -> Check:
    remedy = "Start Redis, or point MO_TESTPLAN_REDIS_URL at one that runs. `run --local` needs none."
    return Check(name="broker", ok=False, found=found, remedy=remedy)


def append_only(info: dict[str, object]) -> Check:
    """Whether Redis has its data on disk; ``info`` is the answer to INFO."""
    ok = bool(info.get("aof_enabled"))
    remedy = "Without it, runs are lost when Redis restarts: CONFIG SET appendonly yes."
    found = "append-only file is on" if ok else "append-only file is off"
    return Check(name="broker keeps runs", ok=ok, found=found, remedy=remedy, required=False)


def eviction(info: dict[str, object]) -> Check:
    """Whether Redis refuses writes when it is full, rather than throwing runs away."""
    policy = str(info.get("maxmemory_policy", "unknown"))
    ok = policy in ("noeviction", "unknown")
    remedy = "Redis may throw runs away: CONFIG SET maxmemory-policy noeviction."
    return Check(name="broker evicts nothing", ok=ok, found=f"maxmemory-policy {policy}", remedy=remedy)


def queues(host: Host, *, reachable: bool) -> list[Check]:
    """Every queue that a plan of the profile may use, and who serves it."""
    from orchestrator.messaging import CONTROL_QUEUE, SUITE_QUEUES, make_app
    from orchestrator.runs.queues import served

    if not reachable:
        found, remedy = "nobody to ask without a broker", "Start Redis first."
        return [Check(name="queues", ok=False, found=found, remedy=remedy)]
    names = [queue for queue in SUITE_QUEUES if queue != "sca" or (host.profile and host.profile.sca.analysers)]
    labels = host.profile.dispatch.labels if host.profile else {}
    names += sorted({f"{task.partition(':')[0]}.{label}" for task, label in labels.items()})
    try:
        workers = served(make_app(host.settings.redis_url))
    except MoTestplanError as error:
        return [missing("queues", error)]
    return [_queue(name, workers.get(name, []), host.profile_name) for name in (*names, CONTROL_QUEUE)]


def _queue(name: str, workers: list[str], profile: str) -> Check:
    if workers:
        return Check(name=f"queue {name}", ok=True, found=", ".join(sorted(workers)))
    template = _START_CONTROL if name == "control" else _START_WORKER
    remedy = template.format(name, profile)
    return Check(name=f"queue {name}", ok=False, found="nobody serves it", remedy=remedy)


def sql_server(host: Host) -> Check:
    """The server that the profile's SQL cases run on."""
    if host.profile is None:
        return Check(name="sql server", ok=False, found="no valid profile says which", remedy="Correct the profile.")
    server = host.profile.bvt.server
    if server.provider == "embedded":
        return embedded_sql(host)
    if server.provider == "mariadb":
        return _mariadb()
    if server.provider == "launch":
        return Check(name="sql server", ok=True, found=f"is started by {shlex.join(server.command)}")
    return _dsn(server.dsn)


def _mariadb() -> Check:
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
    found = shutil.which("mariadbd", path=path) or shutil.which("mysqld", path=path)
    remedy = "Install it (Debian: apt-get install mariadb-server)."
    return Check(name="sql server", ok=bool(found), found=found or "mariadbd is not on this host", remedy=remedy)


def _dsn(dsn: str | None) -> Check:
    from workers.bvt.dsn import parse_dsn
    from workers.bvt.session import open_wire
    from workers.bvt.wire import ServerFaultError

    remedy = "Start it, or name another one with MO_TESTPLAN_BVT_DSN=mysql://user:password@host:port."
    if not dsn:
        return Check(name="sql server", ok=False, found="no address", remedy=remedy)
    try:
        address = parse_dsn(dsn)
        open_wire(address, timeout=_SERVER_SECONDS).close()
    except (MoTestplanError, ServerFaultError, OSError) as error:
        found = f"{hidden(dsn)}: {str(error).splitlines()[0]}"
        return Check(name="sql server", ok=False, found=found, remedy=remedy)
    return Check(name="sql server", ok=True, found=hidden(dsn))


def hidden(dsn: str) -> str:
    """An address without user and password."""
    return f"mysql://{dsn.rpartition('@')[2].removeprefix('mysql://')}"


def store(host: Host) -> Check:
    """Whether history can be written."""
    url = host.settings.store_url
    if not url.startswith("sqlite:///"):
        return _database(url)
    path = Path(url.removeprefix("sqlite:///"))
    folder = existing(path.parent)
    at = path if path.exists() else folder
    ok = folder.is_dir() and os.access(folder, os.W_OK) and os.access(at, os.W_OK) and not path.is_dir()
    remedy = "Let this user write there, or set MO_TESTPLAN_STATE."
    return Check(name="store", ok=ok, found=f"SQLite at {path}{'' if ok else f': {at} is not writable'}", remedy=remedy)


def _database(url: str) -> Check:
    """A database of a server, reached as the history will reach it."""
    from sqlalchemy import text

    from orchestrator.store.database import Database

    try:
        database = Database(url)
        try:
            with database.reading() as session:
                session.execute(text("select 1"))
        finally:
            database.close()
    except MoTestplanError as error:
        return missing("store", error)
    return Check(name="store", ok=True, found=database.where)
