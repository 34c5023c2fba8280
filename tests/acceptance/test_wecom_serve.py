"""`serve` as operators start it: one process takes callbacks, a second one answers, and is kept."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import httpx

from orchestrator.notify.wecom.standin.corp import Corp
from orchestrator.notify.wecom.standin.corpside import AES_KEY, TOKEN, CorpSide
from tests.acceptance.servers import free_port, service, wait_until

PROFILE = """
name: mini
wecom: {{language: en, base_url: '{url}', app: {{corp_id: {corp}, agent_id: {agent}}}}}
"""


def children(pid: int) -> list[int]:
    """Processes that a process has started."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for one in lists for word in one.read_text().split()]


def answers(corp: CorpSide) -> bool:
    try:
        return corp.check_address()
    except httpx.HTTPError:
        return False


def ended(pid: int) -> bool:
    """Whether it is gone, or waits for whoever inherited it to look."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_the_process_that_answers_is_replaced_when_it_dies_and_ends_with_serve(valkey_url: str, tmp_path: Path) -> None:
    corp = Corp(time.monotonic, members=frozenset({"dev"}))
    with CorpSide(corp) as side:
        (tmp_path / "mini.yaml").write_text(
            PROFILE.format(url=side.base_url, corp=corp.corp_id, agent=corp.agent_id), encoding="utf-8"
        )
        env = {
            **os.environ,
            "MO_TESTPLAN_REDIS_URL": valkey_url,
            "MO_TESTPLAN_STATE": str(tmp_path / "state"),
            "MO_TESTPLAN_CONFIG_DIR": str(tmp_path),
            "MO_TESTPLAN_WECOM_APP_SECRET": corp.secret,
            "MO_TESTPLAN_WECOM_APP_TOKEN": TOKEN,
            "MO_TESTPLAN_WECOM_APP_AES_KEY": AES_KEY,
        }
        port, log = free_port(), tmp_path / "serve.log"
        side.callback_url = f"http://127.0.0.1:{port}/wecom/app"
        with service("serve", "--profile", "mini", "--port", str(port), env=env, log=log) as process:
            wait_until("it takes callbacks", lambda: answers(side))
            assert side.say("dev", "whoami") == 1
            wait_until("it is answered", lambda: len(corp.shown) == 1)
            (first,) = children(process.pid)
            os.kill(first, signal.SIGKILL)
            assert side.say("dev", "help") >= 1, "taken, whoever answers"
            wait_until("another one answers", lambda: len(corp.shown) == 2)
            (second,) = children(process.pid)
            assert second != first
        wait_until("it ended with serve", lambda: ended(second))
    text = log.read_text()
    assert "another one starts" in text
    assert "Traceback" not in text
    assert not any(secret in text for secret in (AES_KEY, TOKEN, corp.secret))
