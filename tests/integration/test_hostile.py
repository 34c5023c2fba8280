"""What a hostile test can do: nothing to the worker, its secrets, its Redis, its disk or other runs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from benchmarks.rig.processes import command_lines
from orchestrator.domain.errors import InfrastructureError
from orchestrator.domain.plan import Suite
from orchestrator.domain.profile import Bvt, Profile, Server
from orchestrator.ledger.embedded import EmbeddedRedis
from tests.acceptance.servers import redis_server
from tests.require import require
from tests.unit.workers.support import Record, make_job, task
from workers.bvt.dsn import parse_dsn
from workers.bvt.session import open_wire
from workers.bvt.wire import ServerFaultError
from workers.otheruser import other_user, redis_is_open
from workers.process import Exit, Host, Limits, Reason
from workers.sandbox import Confinement, available
from workers.servers import make_server
from workers.suites.bvt import launch_of
from workers.suites.execution import execution

SECRET = "hunter2-the-password-of-redis"


@dataclass
class Hostile:
    """A run's checkout in which shell scripts are executed as tests of a pull request are."""

    root: Path
    sandbox: Confinement | None
    limits: Limits = field(default_factory=Limits)
    said: list[str] = field(default_factory=list)
    name: str = "r1@abc"

    @property
    def workspace(self) -> Path:
        return self.root / "runs" / self.name / "tree"

    def log(self, line: str) -> None:
        self.said.append(line)

    def cancelled(self) -> bool:
        return False

    @property
    def hides(self) -> bool:
        """Whether what is forbidden is not even seen."""
        return self.sandbox is not None and self.sandbox.one_owner

    def host(self) -> Host:
        secret = {"MO_TESTPLAN_REDIS_URL": f"redis://worker:{SECRET}@127.0.0.1/0"}
        environment = {**os.environ, **secret, "GOMODCACHE": str(self.root / "modules")}
        scratch = self.root / "scratch"
        scratch.mkdir(exist_ok=True)
        return Host(
            environment=environment, sandbox=self.sandbox, scratch=scratch, limits=self.limits, private_caches=True
        )

    def tries(self, script: str) -> Exit:
        self.said.clear()
        with execution(self.host(), self, {}) as made:
            return made.go(("sh", "-c", script), 30.0, lambda _, line: self.log(line))

    def answer(self, script: str) -> str:
        self.tries(script)
        return "\n".join(self.said)


@pytest.fixture(params=["bubblewrap", "uid"])
def hostile(request: pytest.FixtureRequest) -> Iterator[Hostile]:
    require("go", "bubblewrap" if request.param == "bubblewrap" else "root")
    sandbox = available() if request.param == "bubblewrap" else other_user("70000-70099")
    with tempfile.TemporaryDirectory(prefix="hostile-", dir="/var/tmp") as folder:  # others may pass through it
        root = Path(folder)
        root.chmod(0o711)
        made = Hostile(root, sandbox)
        made.workspace.mkdir(parents=True)
        (root / "history.sqlite").write_text(SECRET)
        (root / "history.sqlite").chmod(0o600)
        second = Hostile(root, sandbox, name="r2@def")
        second.workspace.mkdir(parents=True)
        (second.workspace / "source").write_text("of another run")
        second.tries("true")  # it has run here
        yield made


def test_it_does_not_see_the_environment_of_the_worker(hostile: Hostile) -> None:
    assert SECRET not in hostile.answer("env; cat /proc/*/environ | tr '\\0' '\\n'; cat /proc/self/mountinfo")
    assert SECRET not in hostile.answer(f"cat /proc/{os.getpid()}/environ 2>&1")


def test_it_does_not_see_files_of_the_worker_or_of_other_runs(hostile: Hostile) -> None:
    home, other = hostile.root / "history.sqlite", hostile.root / "runs" / "r2@def" / "tree" / "source"
    for path in (home, other, Path("/etc/shadow"), Path(f"/proc/{os.getpid()}/environ")):
        assert hostile.answer(f"cat {path} 2>&1").lower().endswith(("no such file or directory", "permission denied"))
    for path in (Path("/var/lib"), Path("/run")) if hostile.hides else ():
        assert "no such" in hostile.answer(f"ls {path} 2>&1").lower(), path


def test_it_cannot_write_outside_of_its_workspace(hostile: Hostile) -> None:
    places = ("/usr/bin/evil", "/etc/evil", f"{hostile.root}/evil", f"{hostile.root}/runs/r2@def/tree/evil")
    for place in places:
        hostile.answer(f"mkdir -p $(dirname {place}) 2>/dev/null; echo evil > {place}")
        assert not Path(place).exists(), place
    hostile.answer("echo fine > result; ln -s /etc/passwd link; echo evil >> link")
    assert (hostile.workspace / "result").read_text() == "fine\n"
    assert "evil" not in Path("/etc/passwd").read_text()


def test_it_reaches_no_redis_by_network_or_socket(hostile: Hostile, tmp_path: Path) -> None:
    require("valkey")
    probe = socket.create_server(("127.0.0.1", 0))
    probe.setblocking(False)
    port = probe.getsockname()[1]
    script = (
        "import socket, sys\n"
        "for family, place in ((socket.AF_INET, ('127.0.0.1', int(sys.argv[1]))), (socket.AF_UNIX, sys.argv[2])):\n"
        "    try: socket.socket(family).connect(place); print('reached', place)\n"
        "    except OSError as error: print('refused', error)\n"
    )
    (hostile.workspace / "reach.py").write_text(script)
    with EmbeddedRedis(tmp_path / "redis") as server:
        answer = hostile.answer(f"/usr/bin/python3 reach.py {port} {server.socket} 2>&1")
        assert not redis_is_open(server.url)
    assert len(answer.splitlines()) == 2, answer
    assert "redis.sock" not in answer
    if hostile.hides:
        assert "reached" not in answer
        with probe, pytest.raises(BlockingIOError):  # nobody knocked
            probe.accept()
    probe.close()


def test_a_redis_that_asks_nobody_for_a_password_is_open_to_tests_under_another_uid(tmp_path: Path) -> None:
    require("redis")
    with redis_server(tmp_path) as url, redis.Redis.from_url(url) as client:
        assert redis_is_open(url)
        client.config_set("requirepass", SECRET)
        assert not redis_is_open(url.replace("redis://", f"redis://:{SECRET}@"))


def test_it_cannot_kill_the_worker_nor_outlive_its_end(hostile: Hostile) -> None:
    victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    hostile.answer(f"kill -9 {victim.pid} {os.getpid()}; kill -9 -1; setsid sleep 61{victim.pid} & exit 0")
    hostile.answer(
        f"setsid env -i sh -c '(sleep 61{victim.pid}; echo alive) & :' & (setsid env -i sleep 61{victim.pid} &)"
    )
    assert victim.poll() is None
    victim.kill()
    victim.wait()
    assert f"sleep 61{victim.pid}" not in command_lines()


def test_it_is_ended_before_the_disk_is_full(hostile: Hostile) -> None:
    free = shutil.disk_usage(hostile.root).free
    hostile.limits = Limits(disk_reserve=free - (192 << 20), file_size=32 << 20)
    with pytest.raises(InfrastructureError, match="ran full"):
        hostile.tries("n=0; while :; do head -c 16M /dev/zero > big$n; n=$((n + 1)); done")
    written = sum(path.stat().st_size for path in hostile.workspace.glob("big*"))
    assert written < 20 << 30


def test_one_file_one_process_and_one_second_have_their_limits(hostile: Hostile) -> None:
    hostile.limits = Limits(file_size=1 << 20, memory=256 << 20, cpu=1)
    hostile.tries("head -c 64M /dev/zero > big")
    assert (hostile.workspace / "big").stat().st_size <= 1 << 20
    assert "MemoryError" in hostile.answer("/usr/bin/python3 -c 'bytearray(1 << 30)' 2>&1")
    done = hostile.tries("while :; do :; done")
    assert (done.reason, done.passed) == (Reason.EXITED, False)
    assert done.seconds < 25


def test_a_flood_of_output_is_ended(hostile: Hostile) -> None:
    hostile.limits = Limits(output=1 << 20)
    assert hostile.tries("yes").reason is Reason.OUTPUT_LIMIT


def test_a_script_has_its_sql_server_read_and_write_nothing_of_the_worker(hostile: Hostile) -> None:
    require("mariadb")
    profile = Profile(name="p", bvt=Bvt(server=Server(provider="mariadb")))
    job = make_job(task(Suite.BVT), profile, hostile.workspace, Record())
    outside, exported = hostile.root / "evil", hostile.workspace / "exported"
    with closing(make_server("mariadb", launch=launch_of(job, hostile.sandbox))) as server:
        wire = open_wire(parse_dsn(server.start()))
        for path in (hostile.root / "history.sqlite", Path("/etc/shadow"), Path(f"/proc/{os.getpid()}/environ")):
            assert wire.query(f"select load_file('{path}') is null").rows == [[b"1"]], path
        with suppress(ServerFaultError):
            wire.query(f"select 'evil' into dumpfile '{outside}'")
        wire.query(f"select 'fine' into dumpfile '{exported}'")
        assert wire.query(f"select load_file('{exported}')").rows == [[b"fine"]]
        wire.close()
    assert not outside.exists()


def test_what_it_leaves_in_its_build_cache_no_other_run_finds(hostile: Hostile) -> None:
    hostile.answer('echo evil > "$GOCACHE/evil"')
    assert (hostile.workspace.parent / "gocache" / "evil").exists()
    second = Hostile(hostile.root, hostile.sandbox, name="r3@ghi")
    second.workspace.mkdir(parents=True)
    assert "evil" not in second.answer('ls "$GOCACHE"')


def test_it_reads_the_modules_that_are_fetched_for_it_and_cannot_change_them(hostile: Hostile) -> None:
    (hostile.workspace / "go.mod").write_text("module example.org/m\n\ngo 1.21\n")
    (hostile.workspace / "m.go").write_text('package m\n\nimport "nosuch/dependency"\n\nvar _ = dependency.X\n')
    with execution(hostile.host(), hostile, {}) as made:
        assert made.prefetch(("./...",)) is None
    assert any("nosuch/dependency" in line for line in hostile.said), "it read the tree"
    answer = hostile.answer("ls -d $GOMODCACHE; echo evil > $GOMODCACHE/evil")
    assert str(hostile.root / "modules") in answer
    assert not (hostile.root / "modules" / "evil").exists()
