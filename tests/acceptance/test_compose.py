"""``docker-compose.yml``: its syntax, and every service's command with its environment, started on local ports."""

from __future__ import annotations

import contextlib
import functools
import itertools
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from orchestrator.domain.errors import BrokerError
from orchestrator.ledger.acl import worker_rules
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import CONTROL_QUEUE, SUITE_QUEUES, make_app
from tests.acceptance.project import make_project
from tests.acceptance.servers import program, service, wait_for_redis
from tests.acceptance.test_hosts import PASS, _flower
from tests.require import require
from tests.waiting import until
from workers.servers.owned import free_port

ROOT = Path(__file__).resolve().parents[2]
WORKERS = ("ut", "bvt", "sca")
#: What callers reach, and its port.
FRONT = {"serve": 8600, "mcp": 8601}


def compose(variables: Mapping[str, str]) -> dict[str, Any]:
    """The services as written, with ``${NAME:-default}`` filled in."""

    def fill(match: re.Match[str]) -> str:
        return variables.get(match[1], match[2] or "")

    text = re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", fill, (ROOT / "docker-compose.yml").read_text())
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    return services


def _ends_well(words: list[str]) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_the_file_is_clean() -> None:
    require("docker-compose")
    done = subprocess.run(["docker-compose", "config", "-q"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_redis_keeps_runs_and_nobody_gets_in_without_a_name() -> None:
    words = compose({})["redis"]["command"]
    options = dict(itertools.pairwise(words))
    assert (options["--appendonly"], options["--maxmemory-policy"]) == ("yes", "noeviction")
    assert "--user default off" in " ".join(words)
    assert compose({})["redis"]["volumes"] == ["redis:/data"]
    assert "MO_TESTPLAN_FLOWER_AUTH" in compose({})["flower"]["environment"]


def test_workers_have_the_user_that_the_command_prints() -> None:
    words = compose({"MO_TESTPLAN_WORKER_PASSWORD": "sesame"})["redis"]["command"]
    user = words[words.index("mo-worker") :]
    assert [word for word in user if word != ">sesame"] == worker_rules("mo-worker", SUITE_QUEUES, CONTROL_QUEUE)


def test_what_callers_reach_has_the_least_rights_and_a_health_check() -> None:
    services = compose({})
    for name, port in FRONT.items():
        found = services[name]
        assert (found["read_only"], found["cap_drop"], found["tmpfs"]) == (True, ["ALL"], ["/tmp"])  # noqa: S108
        assert found["security_opt"] == ["no-new-privileges:true"]
        assert found["ports"] == [f"127.0.0.1:{port}:{port}"]
        assert f"http://127.0.0.1:{port}/healthz" in found["healthcheck"]["test"][-1]
        writable = [volume for volume in found["volumes"] if not volume.endswith(":ro")]
        assert writable == ["history:/var/lib/mo-testplan"] == services["control"]["volumes"]


class Composed:
    """The services of the file, started as written but for their ports, on a Redis as written."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.services = compose(
            {"MO_TESTPLAN_REDIS_PASSWORD": "open-sesame", "MO_TESTPLAN_FLOWER_AUTH": "operator:secret"}
        )
        self.ports = {name: free_port() for name in ("redis", "flower", *FRONT)}
        self.project = make_project(folder / "project", {"a": PASS, "b": "t.Fatal(1)"})
        self.project.environ["MO_TESTPLAN_REDIS_URL"] = self.url = self._redis_of("control")
        shutil.copy(ROOT / "config" / "matrixone.yaml", self.project.root / "config")
        (self.project.root / "tokens.yaml").write_text("tokens: []\n")
        self._stack = stack
        port = ["--port", str(self.ports["redis"]), "--bind", "127.0.0.1", "--dir", str(folder)]
        stack.enter_context(program([*self.services["redis"]["command"], *port], None, folder / "redis.log"))
        wait_for_redis(self.url)

    def _redis_of(self, name: str) -> str:
        address = self.services[name]["environment"]["MO_TESTPLAN_REDIS_URL"]
        return str(address.replace("redis:6379", f"127.0.0.1:{self.ports['redis']}"))

    def start(self, *names: str) -> None:
        """Start services."""
        for name in names:
            found = self.services[name]
            env = self.project.environment({k: v for k, v in found["environment"].items() if v})
            env["MO_TESTPLAN_REDIS_URL"] = self._redis_of(name)
            assert ("mo-worker" in env["MO_TESTPLAN_REDIS_URL"]) == (name in WORKERS)
            if "MO_TESTPLAN_TOKENS" in env:
                env["MO_TESTPLAN_TOKENS"] = str(self.project.root / "tokens.yaml")
            command = [
                re.sub("5555|8600|8601", str(self.ports.get(name)), word).replace("0.0.0.0", "127.0.0.1")  # noqa: S104
                for word in found["command"]
            ]
            self._stack.enter_context(service(*command, env=env, log=self.project.root / f"{name}.log"))


def test_every_service_starts_as_written_and_together_they_run_a_plan(tmp_path: Path) -> None:
    require("redis", "go", "flower", "bubblewrap")
    with contextlib.ExitStack() as stack:
        composed = Composed(tmp_path, stack)
        with pytest.raises(BrokerError):
            Ledger(f"redis://127.0.0.1:{composed.ports['redis']}/0", retries=0).ping()
        composed.start("control", *WORKERS, "flower")
        app = make_app(composed.url)
        until(lambda: len(app.control.ping(timeout=0.5) or []) == 4, "control and workers answer")
        until(lambda: len(_flower(composed.ports["flower"], "workers?refresh=1")) >= 4, "flower lists them")
        code, summary = composed.project.run_json("run", *composed.project.change())
        assert (code, summary["state"]) == (1, "failed"), summary
        assert {task["task"]: task["state"] for task in summary["tasks"]} == {
            "ut:a/...": "passed",
            "ut:b/...": "failed",
        }


def test_what_callers_reach_starts_as_written_is_healthy_and_lets_nobody_in_without_a_token(tmp_path: Path) -> None:
    require("redis")
    with contextlib.ExitStack() as stack:
        composed = Composed(tmp_path, stack)
        composed.start(*FRONT)
        for name, inside in FRONT.items():  # as the container is asked how it does
            port = composed.ports[name]
            words = composed.services[name]["healthcheck"]["test"][-1].replace(str(inside), str(port))
            until(functools.partial(_ends_well, [sys.executable, "-c", words]), f"{name} is healthy")
            path = "/mcp" if name == "mcp" else "/api/v1/runs"
            assert httpx.get(f"http://127.0.0.1:{port}{path}").status_code == 401
