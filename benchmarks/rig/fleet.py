"""A broker, control processes and worker hosts that can be killed, stopped and started again."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import cast

from benchmarks.rig.paths import ROOT
from benchmarks.rig.processes import MARK, children, is_python
from benchmarks.rig.project import NAME, Project
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.embedded import EmbeddedRedis
from orchestrator.messaging import App, make_app
from workers.servers.owned import free_port

_READY_SECONDS = 90.0


class Command:
    """One of our own commands as a process that dies when it is told, and comes back when it is told."""

    def __init__(self, words: Sequence[str], environ: Mapping[str, str], log: Path, prefix: Sequence[str] = ()) -> None:
        leash = shutil.which("setpriv")  # whoever kills the campaign kills its hosts
        dies_with_us = [leash, "--pdeathsig", "KILL", "--"] if leash else []
        self._words = [*dies_with_us, *prefix, sys.executable, "-m", "orchestrator", *words]
        self._environ, self._log = dict(environ), log
        self.start()

    def start(self) -> None:
        """Start it."""
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                self._words,
                cwd=ROOT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the main process alone."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """``kill -9`` the main process alone, and bury it."""
        self._process.kill()
        self._process.wait()

    def pool(self) -> list[int]:
        """Its pool processes."""
        return [pid for pid in children(self.pid) if is_python(pid)]

    def stop(self, patience: float = 20.0) -> None:
        """Ask it to end; insist after ``patience`` seconds."""
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()


class Broker(EmbeddedRedis):
    """An embedded Redis that can be taken away and come back with what it had written."""

    def crash(self, number: signal.Signals, down: float) -> None:
        """End the server by a signal, and start it again on the same data after ``down`` seconds."""
        client = Ledger(self.url).redis
        pid = int(cast("dict[str, str]", client.info("server"))["process_id"])
        client.close()
        os.kill(pid, number)
        self.close()
        time.sleep(down)
        self.__enter__()


class NetBroker(Broker):
    """The same on the network, at these addresses."""

    def __init__(self, folder: Path, addresses: Sequence[str]) -> None:
        super().__init__(folder)
        self._addresses = addresses
        self.port = free_port()

    @property
    def options(self) -> dict[str, str]:
        """A port beside the socket."""
        bind = {"port": str(self.port), "bind": " ".join(self._addresses), "protected-mode": "no"}
        return {**super().options, **bind}

    def at(self, address: str) -> str:
        """The URL for who sees the server at ``address``."""
        return f"redis://{address}:{self.port}/0"


class Fleet:
    """Context manager: a broker, ``controls`` control processes and ``hosts`` worker hosts for a project."""

    def __init__(  # noqa: PLR0913 - the parts of a fleet
        self,
        project: Project,
        *,
        hosts: int,
        concurrency: int = 1,
        controls: int = 1,
        environ: Mapping[str, str] | None = None,
        listen: Sequence[str] = (),
    ) -> None:
        self.project, self.mark = project, secrets.token_hex(8)
        self.broker = NetBroker(project.root / "redis", listen) if listen else Broker(project.root / "redis")
        self.logs = project.root / "logs"
        self._sizes = (hosts, concurrency, controls)
        self.hosts: list[Command] = []
        self.controls: list[Command] = []
        self.environ = {
            **os.environ,
            MARK: self.mark,
            "MO_TESTPLAN_REDIS_URL": self.broker.url,
            "MO_TESTPLAN_STATE": str(project.root / "state"),
            "MO_TESTPLAN_STORE_URL": f"sqlite:///{project.root / 'history.sqlite'}",
            "MO_TESTPLAN_CONFIG_DIR": str(project.config),
            "MO_TESTPLAN_REPO": str(project.repo),
            **(environ or {}),
        }

    def __enter__(self) -> Fleet:
        try:
            self.broker.__enter__()
            self.logs.mkdir(exist_ok=True)
            hosts, concurrency, controls = self._sizes
            self.controls = [self.control(f"control{n}") for n in range(controls)]
            self.hosts = [self.host(f"host{n}", concurrency) for n in range(hosts)]
            self.wait_ready()
        except BaseException:
            self.close()
            raise
        return self

    def control(self, name: str) -> Command:
        """Start one more control process."""
        return Command(["control", "--profile", NAME], self.environ, self.logs / f"{name}.log")

    def host(self, name: str, concurrency: int = 1, *, prefix: Sequence[str] = (), url: str = "") -> Command:
        """Start one more worker host; ``prefix`` are words before its command, ``url`` is how it sees the broker."""
        words = ["worker", "--queues", "ut", "--name", name, "--concurrency", str(concurrency)]
        environ = {**self.environ, "MO_TESTPLAN_REDIS_URL": url or self.broker.url}
        return Command([*words, "--unsafe-no-sandbox"], environ, self.logs / f"{name}.log", prefix)

    def wait_ready(self) -> None:
        """Wait until all of them listen."""
        app, wanted = self.app, len(self.hosts) + len(self.controls)
        end = time.monotonic() + _READY_SECONDS
        while len(app.control.ping(timeout=0.5) or []) < wanted:
            for one in (*self.hosts, *self.controls):
                if not one.alive():
                    raise RuntimeError(f"a process of the rig ended by itself; its log is in {self.logs}")
            if time.monotonic() > end:
                raise RuntimeError(f"the rig did not come up within {_READY_SECONDS:g} s; see {self.logs}")

    @property
    def app(self) -> App:
        """A Celery application on this broker."""
        return make_app(self.broker.url)

    def ledger(self) -> Ledger:
        """A client of the ledger."""
        return Ledger(self.broker.url)

    def close(self) -> None:
        """End everything that was started here."""
        for one in self.hosts:
            one.kill()
        for one in self.controls:
            one.stop()
        self.broker.close()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
