"""What a hostile test can do: nothing to the worker, its secrets, its Redis, its disk or other runs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestrator.domain.errors import InfrastructureError
from orchestrator.ledger.embedded import EmbeddedRedis
from tests.require import require
from workers.process import Exit, Host, Limits, Reason
from workers.sandbox import available
from workers.suites.execution import execution

SECRET = "hunter2-the-password-of-redis"


@dataclass
class Hostile:
    """A run's checkout in which shell scripts are executed as tests of a pull request are."""

    root: Path
    limits: Limits = field(default_factory=Limits)
    said: list[str] = field(default_factory=list)

    @property
    def workspace(self) -> Path:
        return self.root / "runs" / "r1@abc" / "tree"

    def log(self, line: str) -> None:
        self.said.append(line)

    def cancelled(self) -> bool:
        return False

    def tries(self, script: str) -> Exit:
        self.said.clear()
        environment = {**os.environ, "MO_TESTPLAN_REDIS_URL": f"redis://worker:{SECRET}@127.0.0.1/0"}
        scratch = self.root / "scratch"
        scratch.mkdir(exist_ok=True)
        host = Host(
            environment=environment, sandbox=available(), scratch=scratch, limits=self.limits, private_caches=True
        )
        with execution(host, self, {}) as made:
            return made.go(("sh", "-c", script), 30.0, lambda _, line: self.log(line))

    def answer(self, script: str) -> str:
        self.tries(script)
        return "\n".join(self.said)


@pytest.fixture
def hostile(tmp_path: Path) -> Hostile:
    require("bubblewrap", "go")
    made = Hostile(tmp_path)
    made.workspace.mkdir(parents=True)
    (tmp_path / "history.sqlite").write_text(SECRET)
    other = tmp_path / "runs" / "r2@def" / "tree"
    other.mkdir(parents=True)
    (other / "source").write_text("of another run")
    return made


def test_it_does_not_see_the_environment_of_the_worker(hostile: Hostile) -> None:
    assert SECRET not in hostile.answer("env; cat /proc/*/environ | tr '\\0' '\\n'; cat /proc/self/mountinfo")
    assert SECRET not in hostile.answer(f"cat /proc/{os.getpid()}/environ 2>&1")


def test_it_does_not_see_files_of_the_worker_or_of_other_runs(hostile: Hostile) -> None:
    home, other = hostile.root / "history.sqlite", hostile.root / "runs" / "r2@def" / "tree" / "source"
    for path in (home, other, Path("/etc/shadow"), Path("/var/lib"), Path("/run")):
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
    assert len(answer.splitlines()) == 2, answer
    assert "reached" not in answer
    with probe, pytest.raises(BlockingIOError):  # nobody knocked
        probe.accept()


def test_it_cannot_kill_the_worker_nor_outlive_its_end(hostile: Hostile) -> None:
    victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    hostile.answer(f"kill -9 {victim.pid} {os.getpid()}; kill -9 -1; setsid sleep 61 & exit 0")
    assert victim.poll() is None
    victim.kill()
    victim.wait()
    assert "sleep\x0061" not in "".join(_command_lines())


def _command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_text(errors="replace")
        except OSError:
            continue


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


def test_what_it_leaves_in_its_build_cache_no_other_run_finds(hostile: Hostile) -> None:
    hostile.answer('echo evil > "$GOCACHE/evil"')
    assert (hostile.workspace.parent / "gocache" / "evil").exists()
    second = Hostile(hostile.root / "second")
    second.workspace.mkdir(parents=True)
    assert "evil" not in second.answer('ls "$GOCACHE"')
