"""Everything a run needs, on this machine, gone afterwards: Redis, a control process, workers."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from orchestrator.cli.life import Service, undisturbed
from orchestrator.domain.errors import InfrastructureError
from orchestrator.ledger.client import Ledger
from orchestrator.ledger.embedded import EmbeddedRedis
from orchestrator.messaging import App, make_app
from orchestrator.settings import Settings, to_environment

_READY_SECONDS = 40.0


class LocalStack:
    """Context manager: an embedded Redis, one control process and ``workers`` worker processes.

    ``settings`` are those of the caller with the address of this Redis; history and logs stay where they say.
    """

    def __init__(
        self,
        settings: Settings,
        profile: str,
        *,
        workers: int = 1,
        concurrency: int = 1,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = _private_folder()
        self.redis = EmbeddedRedis(self.folder / "redis")
        self.settings = dataclasses.replace(settings, redis_url=self.redis.url)
        self._profile, self._workers, self._concurrency = profile, workers, concurrency
        self._environ = {**os.environ, **(environ or {})}
        self.services: list[Service] = []

    @property
    def app(self) -> App:
        """A Celery application on this Redis."""
        return make_app(self.settings.redis_url)

    def __enter__(self) -> LocalStack:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def _start(self) -> None:
        Path(self.settings.state).mkdir(parents=True, exist_ok=True)
        self.redis.__enter__()
        environ = {**self._environ, **to_environment(self.settings)}
        self.services.append(Service(["control", "--profile", self._profile], environ, self.folder / "control.log"))
        for number in range(1, self._workers + 1):
            name, log = f"local{number}", self.folder / f"worker{number}.log"
            words = ["worker", "--name", name, "--profile", self._profile, "--concurrency", str(self._concurrency)]
            self.services.append(Service([*words, "--unsafe-no-sandbox", "--limit", "disk=0"], environ, log))

    def check(self) -> None:
        """Raise when a process of the stack has died."""
        for service in self.services:
            if not service.alive():
                tail = service.log.read_text(errors="replace")[-2000:].strip()
                raise InfrastructureError(f"{service.log.stem} ended by itself:\n{tail}", "Mend what it says.")

    def wait_ready(self) -> None:
        """Wait until the workers listen."""
        deadline, app = time.monotonic() + _READY_SECONDS, self.app
        while time.monotonic() < deadline:
            self.check()
            if len(app.control.ping(timeout=0.5) or []) >= self._workers + 1:
                return
        raise InfrastructureError("the local workers did not come up", f"See the logs in {self.folder}.")

    def ledger(self) -> Ledger:
        """A client of this stack's ledger."""
        return Ledger(self.settings.redis_url)

    def close(self) -> None:
        """Stop and remove all of it, whatever signals come meanwhile."""
        with undisturbed():
            self._close()

    def _close(self) -> None:
        with ThreadPoolExecutor(len(self.services) or 1) as together:  # each takes seconds to say goodbye to the broker
            list(together.map(Service.stop, self.services))
        self.services.clear()
        self.redis.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def _private_folder() -> Path:
    """A folder of our own, with a short name: a socket's path stays below 108 bytes (unix(7))."""
    base = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="mo-testplan-", dir=base if len(base.encode()) <= 64 else "/tmp"))  # noqa: S108
