"""`serve` as operators start it: one process takes callbacks, a second one answers, and is kept."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import httpx

from benchmarks.rig.processes import children, lives
from orchestrator.notify.wecom.standin.corp import Corp
from orchestrator.notify.wecom.standin.corpside import AES_KEY, TOKEN, CorpSide
from tests.acceptance.servers import service
from tests.waiting import until
from workers.servers.owned import free_port

PROFILE = """
name: mini
wecom: {{language: en, base_url: '{url}', app: {{corp_id: {corp}, agent_id: {agent}}}}}
"""


def answers(corp: CorpSide) -> bool:
    try:
        return corp.check_address()
    except httpx.HTTPError:
        return False


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
            until(lambda: answers(side), "it takes callbacks")
            assert side.say("dev", "whoami") == 1
            until(lambda: len(corp.shown) == 1, "it is answered")
            (first,) = children(process.pid)
            os.kill(first, signal.SIGKILL)
            assert side.say("dev", "help") >= 1, "taken, whoever answers"
            until(lambda: len(corp.shown) == 2, "another one answers")
            (second,) = children(process.pid)
            assert second != first
        assert until(lambda: not lives(second), "it ended with serve")
    text = log.read_text()
    assert "another one starts" in text
    assert "Traceback" not in text
    assert not any(secret in text for secret in (AES_KEY, TOKEN, corp.secret))
