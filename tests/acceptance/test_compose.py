"""``docker-compose.yml``: its syntax, and every service's command with its environment, started on local ports."""

from __future__ import annotations

import contextlib
import itertools
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.domain.errors import BrokerError
from orchestrator.ledger.acl import worker_rules
from orchestrator.ledger.client import Ledger
from orchestrator.messaging import CONTROL_QUEUE, SUITE_QUEUES, make_app
from tests.acceptance.project import make_project
from tests.acceptance.servers import free_port, program, service, wait_for_redis, wait_until
from tests.acceptance.test_hosts import PASS, _flower
from tests.require import require

ROOT = Path(__file__).resolve().parents[2]
WORKERS = ("ut", "bvt", "sca")


def compose(variables: Mapping[str, str]) -> dict[str, Any]:
    """The services as written, with ``${NAME:-default}`` filled in."""

    def fill(match: re.Match[str]) -> str:
        return variables.get(match[1], match[2] or "")

    text = re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", fill, (ROOT / "docker-compose.yml").read_text())
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    return services


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


def test_every_service_starts_as_written_and_together_they_run_a_plan(tmp_path: Path) -> None:
    require("redis", "go", "flower", "bubblewrap")
    services = compose({"MO_TESTPLAN_REDIS_PASSWORD": "open-sesame", "MO_TESTPLAN_FLOWER_AUTH": "operator:secret"})
    port, flower_port = free_port(), free_port()
    url = services["control"]["environment"]["MO_TESTPLAN_REDIS_URL"].replace("redis:6379", f"127.0.0.1:{port}")
    project = make_project(tmp_path / "project", {"a": PASS, "b": "t.Fatal(1)"})
    shutil.copy(ROOT / "config" / "matrixone.yaml", project.root / "config")
    project.environ["MO_TESTPLAN_REDIS_URL"] = url
    with contextlib.ExitStack() as stack:
        words = [*services["redis"]["command"], "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
        stack.enter_context(program(words, None, tmp_path / "redis.log"))
        wait_for_redis(url)
        with pytest.raises(BrokerError):
            Ledger(f"redis://127.0.0.1:{port}/0", retries=0).ping()
        for name in ("control", *WORKERS, "flower"):
            env = project.environment({k: v for k, v in services[name]["environment"].items() if v})
            own = services[name]["environment"]["MO_TESTPLAN_REDIS_URL"]
            assert ("mo-worker" in own) == (name in WORKERS)
            env["MO_TESTPLAN_REDIS_URL"] = own.replace("redis:6379", f"127.0.0.1:{port}")
            command = [
                word.replace("5555", str(flower_port)).replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - replaced
                for word in services[name]["command"]
            ]
            stack.enter_context(service(*command, env=env, log=project.root / f"{name}.log"))
        app = make_app(url)
        wait_until("control and workers answer", lambda: len(app.control.ping(timeout=0.5) or []) == 4, 60)
        wait_until("flower lists them", lambda: len(_flower(flower_port, "workers?refresh=1")) >= 4, 60)
        code, summary = project.run_json("run", *project.change())
        assert (code, summary["state"]) == (1, "failed"), summary
        assert {task["task"]: task["state"] for task in summary["tasks"]} == {
            "ut:a/...": "passed",
            "ut:b/...": "failed",
        }
