"""A worker whose Redis user may only what it needs, over TLS: a run passes, and all else is refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from orchestrator.ledger.connection import connect
from orchestrator.messaging import make_app, tls_of
from tests.acceptance.project import Project, make_project
from tests.acceptance.servers import program, service
from tests.require import require
from tests.waiting import until
from workers.servers.owned import free_port

ROOT_PASSWORD, WORKER_PASSWORD = "of the operator", "of-the-worker"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Debian's Redis that speaks TLS alone: its port, and the authority's certificate."""
    require("redis", "go")
    folder = tmp_path / "redis"
    folder.mkdir()
    openssl = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    openssl += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(openssl, cwd=folder, check=True, capture_output=True)
    port = free_port()
    words = ["redis-server", "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    words += ["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--tls-auth-clients", "no"]
    words += ["--requirepass", ROOT_PASSWORD, "--appendonly", "yes"]
    with program(words, None, folder / "redis.log"):
        yield port, folder / "cert.pem"


def address(port: int, certificate: Path, user: str, password: str) -> str:
    return f"rediss://{user}:{password.replace(' ', '%20')}@127.0.0.1:{port}/0?ssl_ca_certs={certificate}"


def test_a_worker_with_few_rights_over_tls_does_its_work_and_nothing_else(
    server: tuple[int, Path], tmp_path: Path
) -> None:
    port, certificate = server
    operator = address(port, certificate, "default", ROOT_PASSWORD)
    client = connect(operator)
    until(lambda: _answers(client), "Redis answers")
    project = make_project(tmp_path / "project", {"a": "if It() != 2 { t.Fatal(It()) }"})
    rules = json.loads(project.command("acl", "--format", "json").stdout)
    _tell(client, "ACL", "SETUSER", *rules, f">{WORKER_PASSWORD}")
    worker = address(port, certificate, rules[0], WORKER_PASSWORD)
    _run_passes(project, operator, worker)
    assert _tell(client, "ACL", "LOG") == []
    narrow = connect(worker)
    for command in (("FLUSHALL",), ("CONFIG", "GET", "*"), ("SET", "other", "1"), ("ACL", "LIST"), ("KEYS", "*")):
        with pytest.raises(redis.exceptions.NoPermissionError):
            _tell(narrow, *command)
    with pytest.raises(redis.exceptions.ConnectionError, match=r"CERTIFICATE_VERIFY_FAILED|certificate"):
        connect(worker.partition("?")[0], retries=0).ping()


def _tell(client: redis.Redis, *words: str) -> object:
    return client.execute_command(*words)  # type: ignore[no-untyped-call]


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.exceptions.ConnectionError:
        return False


def _run_passes(project: Project, operator: str, worker: str) -> None:
    project.environ["MO_TESTPLAN_REDIS_URL"] = operator
    env, logs = project.environment(), project.root
    narrow = project.environment({"MO_TESTPLAN_REDIS_URL": worker})
    with (
        service("control", "--profile", "mini", env=env, log=logs / "control.log"),
        service("worker", "--name", "narrow", "--unsafe-no-sandbox", env=narrow, log=logs / "worker.log"),
    ):
        app = make_app(operator)
        until(lambda: len(app.control.ping(timeout=0.5) or []) == 2, "both services answer")
        code, summary = project.run_json("run", *project.change())
        assert (code, summary["state"]) == (0, "passed"), (logs / "worker.log").read_text()[-3000:]
        assert "NOPERM" not in (logs / "worker.log").read_text()
        code, hosts = project.command("hosts", "--format", "json").returncode, project.command("hosts").stdout
        assert code == 0
        assert "narrow" in hosts


def test_what_an_address_says_of_tls_reaches_celery_and_certificates_are_checked() -> None:
    import ssl

    assert tls_of("redis://h/0") == ("redis://h/0", None)
    url, tls = tls_of("rediss://h/0?ssl_ca_certs=/ca.pem&virtual_host=3")
    assert url == "rediss://h/0?virtual_host=3"
    assert tls == {"ssl_ca_certs": "/ca.pem", "ssl_cert_reqs": ssl.CERT_REQUIRED}
    assert tls_of("rediss://h/0?ssl_cert_reqs=none")[1] == {"ssl_cert_reqs": ssl.CERT_NONE}
