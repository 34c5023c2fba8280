"""Real servers and services of a test's own, on free ports of the loopback, gone with the test."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import redis

from tests.waiting import until
from workers.servers.owned import free_port


@contextlib.contextmanager
def program(words: Sequence[str], env: Mapping[str, str] | None, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with its output in ``log``; asked to end, then made to."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            list(words),
            env=None if env is None else dict(env),
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def service(
    *words: str, env: Mapping[str, str], log: Path
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """One of our own commands."""
    return program([sys.executable, "-m", "orchestrator", *words], env, log)


@contextlib.contextmanager
def redis_server(folder: Path, port: int | None = None) -> Iterator[str]:
    """Debian's Redis with append-only file: its address."""
    port = port or free_port()
    words = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes"]
    with program(words, None, folder / "redis.log"):
        wait_for_redis(f"redis://127.0.0.1:{port}/0")
        yield f"redis://127.0.0.1:{port}/0"


def wait_for_redis(url: str) -> None:
    """Wait until a Redis answers."""

    def answers() -> bool:
        try:
            with redis.Redis.from_url(url) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    until(answers, f"{url} answers")


def path_without_sandbox(folder: Path) -> str:
    """A PATH with git and Go and nothing else."""
    folder.mkdir()
    for name in ("git", "go", "sh", "sleep"):
        (folder / name).symlink_to(Path(shutil.which(name) or name).resolve())
    return str(folder)
